// A tile's sums as an accumulator of limited width forms them, step by step in the dataflow's order, with
// saturation. Slow: for the sums that may leave the accumulator's range only.
#pragma once

#include <cstdint>
#include <vector>

#include "models/array/kernels.hpp"
#include "models/array/tap_table.hpp"
#include "tlm/dataflow.hpp"

namespace abacus::models {

struct SaturatingTile {
  const TapTable* taps;
  TapGeometry geometry;
  int channels;
  const std::vector<hw::AccumulationStep>* order;
  int accumulator_bits;
  int zero;   // of the plan
  bool wide;  // of the plan
};

// One output position, one column; `operands` as for accumulate(), at the position's window;
// column_weights: [ky][kx][channel], as unpack_plain() gives them. Adds the number of additions
// that saturated to `saturations`.
std::int32_t accumulate_saturating(const SaturatingTile& tile, const void* operands,
                                   const std::int16_t* column_weights, std::int64_t& saturations);

}  // namespace abacus::models
