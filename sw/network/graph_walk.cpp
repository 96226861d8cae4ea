#include "sw/network/graph_walk.hpp"

#include <string>

namespace abacus::network {

GraphReads reads_of(const Network& network) {
  GraphReads reads;
  for (const Layer& layer : network.layers) reads.push_back(layer.inputs);
  return reads;
}

std::vector<int> last_readers(const GraphReads& reads) {
  std::vector<int> last(reads.size(), no_reader);
  for (std::size_t i = 0; i < reads.size(); ++i) {
    const int reader = static_cast<int>(i);
    for (const int from : reads[i]) {
      if (from >= reader) {
        throw std::invalid_argument("layer " + std::to_string(i) + " reads layer " +
                                    std::to_string(from) + "; allowed: layers before it");
      }
      if (from >= 0) last[static_cast<std::size_t>(from)] = reader;
    }
  }
  return last;
}

}  // namespace abacus::network
