// Real factors as the integer multipliers and shifts of docs/arithmetic.md.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/network/integer_network.hpp"

namespace abacus::quant {

// The read quantizer whose multiplier / 2^shift is nearest to stored scale / operand step, with the
// most bits that its fields hold; {1, 0} for a ratio of 1. Throws std::range_error for a ratio that
// the fields cannot hold.
network::ReadQuantizer read_quantizer(double ratio);
double ratio(const network::ReadQuantizer& quantizer);

// One output channel of the scale unit, in units of the output's integer:
// output = gain · (accumulator − center) + offset.
struct AffineChannel {
  double gain = 0;
  double center = 0;
  double offset = 0;
};

struct ScaleUnit {
  std::vector<std::int32_t> multipliers;  // one an output channel
  std::vector<std::int64_t> biases;       // one an output channel
  std::int32_t residual_multiplier = 0;
  std::int32_t residual_shift = 0;
  int shift = 0;
};

// Rounds the channels' gains with the largest common right shift with which every multiplier, bias
// and the residual's factor fit their fields. The bias is taken from the rounded multiplier, so that
// at accumulator = center the output is `offset`, whatever the gain's rounding did: with BatchNorm's
// mean as the center, rounding shifts no channel's mean. `residual_gain`: output integers one
// residual integer is worth, 0 without a residual. Throws std::range_error if even shift 0 is too
// much. `fraction_bits`: of the accumulator below the binary point, for which shift, biases and the
// residual's left shift leave room (docs/arithmetic.md, "Exponent weights"). `largest_multiplier`: of
// the channels' multipliers.
ScaleUnit scale_unit(const std::vector<AffineChannel>& channels, double residual_gain,
                     int fraction_bits = 0, int largest_multiplier = 32767);

// The same for average pools (signed multiplier, 16 bits) and for the two operands of an addition.
struct PoolScale {
  std::int32_t multiplier = 1;
  int shift = 0;
};
PoolScale pool_scale(double gain);

struct AddScale {
  std::int32_t multiplier = 1;
  std::int32_t left_shift = 0;
  std::int32_t second_multiplier = 1;
  std::int32_t second_left_shift = 0;
  int shift = 0;
};
AddScale add_scale(double gain, double second_gain);

}  // namespace abacus::quant
