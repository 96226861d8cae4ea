#include "sw/schedule/liveness.hpp"

namespace abacus::schedule {

std::vector<Lifetime> lifetimes(const network::IntegerNetwork& network) {
  const int layers = static_cast<int>(network.layers.size());
  std::vector<Lifetime> all;
  for (int tensor = network::image_tensor; tensor < layers; ++tensor) {
    Lifetime life;
    life.tensor = tensor;
    life.wanted = tensor == layers - 1;
    all.push_back(life);
  }
  for (int i = 0; i < layers; ++i) {
    const network::IntegerLayer& layer = network.layers[static_cast<std::size_t>(i)];
    all[index_of_tensor(layer.input)].readers.push_back(i);
    if (layer.residual == network::no_tensor || layer.residual == layer.input) continue;
    all[index_of_tensor(layer.residual)].readers.push_back(i);
  }
  return all;
}

}  // namespace abacus::schedule
