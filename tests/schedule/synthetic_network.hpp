// Integer networks of the zoo's shapes with random weights, for tests and benchmarks that need the
// real shapes and no training: folded as a quantizer folds them (convolution + BatchNorm + ReLU in
// one layer, a block's residual in its second convolution).
#pragma once

#include <cstdint>
#include <string>

#include "sw/network/integer_network.hpp"
#include "sw/network/network.hpp"

namespace abacus::test {

struct SyntheticOptions {
  std::string network = "resnet20";
  Arithmetic arithmetic = Arithmetic::adder;
  Shape image{1, 28, 28};
  int classes = 10;
  int operand_bits = 4;  // of weights and activations between the edges
  int groups = 1;        // read-quantizer groups of each adder layer
  std::uint64_t seed = 1;
  int fraction_bits = 8;  // of exponent weights' taps
  bool adapters = false;  // each layer of products between the edges has a step adapter
};

// Passes validate(). Scales are set such that outputs spread over the range of 8 bits.
IntegerNetwork synthetic_network(const SyntheticOptions& options);

}  // namespace abacus::test
