#include "sw/quant/reconstruct/reconstruction_units.hpp"

#include <algorithm>

namespace abacus {

std::vector<ReconstructionUnit> reconstruction_units(const std::vector<FoldedLayer>& layers) {
  // The last layer that reads each tensor; entry 0 is the image.
  std::vector<std::size_t> last_reader(layers.size() + 1, 0);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    for (const int tensor : {layers[i].input, layers[i].residual}) {
      if (tensor != no_tensor) last_reader[static_cast<std::size_t>(tensor + 1)] = i;
    }
  }
  std::vector<ReconstructionUnit> units;
  std::size_t first = 0;
  std::size_t needed_until = 0;  // by layers of the tensors before layer i's output
  for (std::size_t i = 0; i < layers.size(); ++i) {
    needed_until = std::max(needed_until, last_reader[i]);
    if (needed_until > i) continue;
    units.push_back({first, i});
    first = i + 1;
  }
  return units;
}

}  // namespace abacus
