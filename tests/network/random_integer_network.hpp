// Random valid integer networks for tests: any shapes, widths, arithmetics, groups, strides,
// paddings, residuals, pools and stored formats that docs/arithmetic.md allows.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sw/network/integer_network.hpp"

namespace abacus::test {

struct RandomNetworkOptions {
  // Of the layers between the edges; without a value the seed chooses adder or cnn.
  std::optional<network::Arithmetic> arithmetic;
  int layers = 8;             // at most
  int channels = 40;          // of a tensor, at most
  int side = 12;              // height and width of the image, at most; at least 4
  int fraction_bits = 8;      // of exponent weights' taps, at most
  int operand_bits = 8;       // of weights and activations, at most; at least 2 (bnn: 1)
  int adapter_percent = 0;    // of the layers that can have a step adapter
  int depthwise_percent = 0;  // of the convolutions that keep their channels
  std::optional<hw::ElementTable> element = std::nullopt;  // of arithmetic table
  bool edge_layers = true;  // first and last convolution may be marked edge (then `cnn`, 8 bits)
};

// The same seed and options always give the same network. Multipliers, biases and shifts are drawn
// such that most outputs lie inside the range of their tensor and some clamp.
network::IntegerNetwork random_integer_network(std::uint64_t seed,
                                               const RandomNetworkOptions& options = {});

// Uniformly random pixels, channels × height × width, for quantize_image().
std::vector<std::uint8_t> random_pixels(const network::IntegerNetwork& network, std::uint64_t seed);

}  // namespace abacus::test
