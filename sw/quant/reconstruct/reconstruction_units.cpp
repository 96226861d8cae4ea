#include "sw/quant/reconstruct/reconstruction_units.hpp"

#include <algorithm>

namespace abacus::quant {

std::vector<ReconstructionUnit> reconstruction_units(
    const std::vector<network::FoldedLayer>& layers) {
  const std::vector<int> last_reader = network::last_readers(network::reads_of(layers));
  int needed_until = 0;  // by layers, of the tensors before layer i's output
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const bool image =
        layers[i].input == network::image_tensor || layers[i].residual == network::image_tensor;
    if (image) needed_until = static_cast<int>(i);
  }
  std::vector<ReconstructionUnit> units;
  std::size_t first = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (i > 0) needed_until = std::max(needed_until, last_reader[i - 1]);
    if (needed_until > static_cast<int>(i)) continue;
    units.push_back({first, i});
    first = i + 1;
  }
  return units;
}

}  // namespace abacus::quant
