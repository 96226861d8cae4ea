// Vector unit: residual additions and pools between the layers of the PE arrays.
//
// | property | unit           | value                                                          |
// | -------- | -------------- | -------------------------------------------------------------- |
// | lanes    | elements/cycle | VectorUnitConfig::lanes; of a pool: window elements a cycle    |
// | latency  | cycles         | 4 (read, multiply, add and round, store)                       |
//
// Function: docs/arithmetic.md, "Vector operations", by the kernels of kernels.hpp.
// Actions: add: two multiplications (element bits × 16), two shifts, two additions (sum, rounding)
// and a shift at 48 bits an element. Pools: an addition a window element after the first (the
// maximum's comparison is a subtraction), then a multiplication, two additions and a shift an
// output.
#pragma once

#include <cstdint>
#include <vector>

#include "models/activity/activity.hpp"
#include "models/vector_unit/kernels.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

class VectorUnit {
 public:
  static constexpr int multiplier_bits = 16;
  static constexpr int sum_bits = 48;
  static constexpr int latency_cycles = 4;

  explicit VectorUnit(const hw::VectorUnitConfig& config);

  std::int64_t issue_cycles(std::int64_t elements) const {
    return (elements + config_.lanes - 1) / config_.lanes;
  }
  // elements: of the output.
  void count_add(Activity& activity, int layer, const AddFormat& format,
                 std::int64_t elements) const;
  void count_pool(Activity& activity, int layer, const PoolFormat& format) const;

  void add(const AddFormat& format, std::size_t elements, const std::uint8_t* first,
           const std::uint8_t* second, std::uint8_t* output) const {
    add_elements(format, elements, first, second, output);
  }
  void pool(const PoolFormat& format, const std::uint8_t* input, std::uint8_t* output) {
    abacus::models::pool(format, input, output, sums_);
  }

 private:
  hw::VectorUnitConfig config_;
  std::vector<std::int64_t> sums_;
};

}  // namespace abacus::models
