// Executes an integer network in plain loops, straight from docs/arithmetic.md. It is the judge of
// the hardware models and shares no code with them.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/network/integer_network.hpp"

namespace abacus::network {

// The properties of an array that show in its results once an accumulator saturates.
struct AccumulatorFormat {
  int bits = 24;
  int rows = 16;               // input channels summed exactly before each saturating addition
  bool packs_windows = false;  // of fewer channels than rows: taps of several positions
};

// How layers with exponent weights compute. `exact` is what no hardware does: taps are real numbers,
// nothing is cut off or rounded before the scale unit, and no sum saturates. It measures what
// fraction bits and tables cost in accuracy.
enum class ExponentArithmetic { fixed_point, exact };

// What a step adapter gave for one image, and how often its results had to be saturated.
struct StepResult {
  int factor = 1 << step_factor_bits;  // β
  int read_multiplier = 0;
  std::int64_t underflows = 0;  // of β: 0 or 1 an image
  std::int64_t overflows = 0;
  std::int64_t read_saturations = 0;        // of the read multiplier: 0 or 1
  std::int64_t multiplier_saturations = 0;  // of output channels' multipliers
};

struct ReferenceResult {
  std::vector<std::vector<std::int32_t>> outputs;  // a layer each: height × width × channel order
  std::vector<std::int64_t> saturations;  // a layer each: accumulator additions that saturated
  std::vector<StepResult> steps;          // a layer each; those without an adapter have the default
  int predicted_class = 0;
};

// `image` is in height × width × channel order (quantize_image). `array` serves the layers between
// the edges, `edge_array` those marked edge.
ReferenceResult execute_reference(const IntegerNetwork& network,
                                  const std::vector<std::int16_t>& image, AccumulatorFormat array,
                                  AccumulatorFormat edge_array,
                                  ExponentArithmetic exponents = ExponentArithmetic::fixed_point);

}  // namespace abacus::network
