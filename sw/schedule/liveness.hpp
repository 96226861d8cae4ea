// When each tensor is needed: from the layer that makes it to the last one that reads it.
#pragma once

#include <cstddef>
#include <vector>

#include "sw/network/integer_network.hpp"

namespace abacus::schedule {

struct Lifetime {
  int tensor = network::image_tensor;
  std::vector<int> readers;  // layers, in order, each once; may be none
  bool wanted = false;       // by the host: the scores
};

// One a tensor, the image's first: tensor t is at t + 1.
std::vector<Lifetime> lifetimes(const network::IntegerNetwork& network);

inline std::size_t index_of_tensor(int tensor) { return static_cast<std::size_t>(tensor + 1); }

}  // namespace abacus::schedule
