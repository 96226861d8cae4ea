// Integer networks of the zoo's shapes with random weights: what a network costs does not depend on
// its weights, so an architecture can be measured before anything is trained. Layers are folded as a
// quantizer folds them (convolution + BatchNorm + ReLU in one layer, a block's residual in its last
// convolution).
//
// Weights are uniform over their levels. Those of an adder layer (and of an element with shared scales) lie at both ends of its operands' range,
// half of them below nearly all operands and half above: what all operands have in common then cancels
// in Σ|x − w|, as it does in Σ x·w of weights of both signs, and does not drown what tells the channels
// apart. Scale units take the part of BatchNorm: from the distribution that each stored tensor is made
// to have, mean and deviation of every output channel are worked out, and multiplier and bias bring
// them to 0 and a third of the output's range. So activations neither die out nor saturate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sw/network/integer_network.hpp"
#include "sw/network/network.hpp"
#include "tlm/element_table.hpp"

namespace abacus::workload {

struct SyntheticOptions {
  std::string network = "resnet20";
  network::Arithmetic arithmetic = network::Arithmetic::adder;
  network::Shape image{1, 28, 28};
  int classes = 10;
  int weight_bits = 4;  // of the layers between the edges; bnn: 1, whatever stands here
  int activation_bits = 4;
  int groups = 1;  // read-quantizer groups of each adder layer
  std::uint64_t seed = 1;
  int storage_bits = 8;   // of the tensors between layers; the scores have 16
  int fraction_bits = 8;  // of exponent weights' taps; of POST's at most
  int most_levels = 127;  // of exponent weights, where the width has room for more
  bool adapters = false;  // each layer of products between the edges has a step adapter (ASQ)
  // Of arithmetic `table`, whose widths and signs are the layers'.
  std::optional<hw::ElementTable> element = std::nullopt;
};

// Passes validate(). The same options give the same network. Throws std::invalid_argument where
// make_network does, std::runtime_error where the widths are no valid ones (validate()'s message) or arithmetic
// and element do not go together.
network::IntegerNetwork synthetic_network(const SyntheticOptions& options);

}  // namespace abacus::workload
