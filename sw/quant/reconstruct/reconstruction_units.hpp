// Where a network can be cut for reconstruction: its residual blocks, and what lies between them.
#pragma once

#include <cstddef>
#include <vector>

#include "sw/network/graph_folding.hpp"

namespace abacus::quant {

// The folded layers first … last. They read no tensor but layer first − 1's output (the image for
// 0), and what comes after them reads none but layer last's.
struct ReconstructionUnit {
  std::size_t first = 0;
  std::size_t last = 0;
};

// The smallest such units, in order; together they are the whole network. In a ResNet they are the
// residual blocks, and the convolution, pool and classifier around them; in a network without
// shortcuts, its layers. (BRECQ's "block-wise", Li et al., ICLR 2021, section 3.2.)
std::vector<ReconstructionUnit> reconstruction_units(
    const std::vector<network::FoldedLayer>& layers);

}  // namespace abacus::quant
