// Scale unit: turns accumulators into stored activations.
//
// | property   | unit          | value                                                             |
// | ---------- | ------------- | ----------------------------------------------------------------- |
// | lanes      | outputs/cycle | PeArrayConfig::scale_lanes                                        |
// | latency    | cycles        | the last stage of the array's pipeline depth (tlm/dataflow.hpp)   |
// | multiplier | bits          | 16, one a column, from parameter SRAM (ScaleRecord)               |
// | bias       | bits          | 48 (sum register), one a column                                   |
//
// Works while the array computes; where outputs / lanes exceeds the array's issue cycles (1×1
// kernels) it is the bottleneck.
//
// Function: docs/arithmetic.md, "Convolution", step 4, by the kernels of kernels.hpp.
// Actions an output: a multiplication (accumulator bits × 16), two additions (bias, rounding) and a
// shift at 48 bits; with a residual a multiplication (its bits × 16), a shift and an addition more.
#pragma once

#include <cstdint>

#include "models/activity/activity.hpp"
#include "models/scale_unit/kernels.hpp"
#include "models/simd/cpu_target.hpp"

namespace abacus::models {

class ScaleUnit {
 public:
  static constexpr int multiplier_bits = 16;
  static constexpr int sum_bits = 48;

  // lanes: outputs a cycle; accumulator_bits: width of what comes in.
  ScaleUnit(int lanes, int accumulator_bits, CpuTarget target = best_cpu_target());

  std::int64_t cycles(std::int64_t outputs) const { return (outputs + lanes_ - 1) / lanes_; }
  void count(Activity& activity, int layer, const ScaleFormat& format, std::int64_t outputs) const;

  // Takes a tile's parameters: `columns` ScaleRecords as they stand in parameter SRAM.
  const ScalePlan& set_parameters(const ScaleFormat& format, const std::uint8_t* records,
                                  int columns, std::int64_t largest_accumulator) {
    plan_.prepare(format, records, columns, largest_accumulator);
    return plan_;
  }
  // See scale().
  void run(int positions, const std::int32_t* accumulators, int accumulator_stride,
           std::uint8_t* output, const std::uint8_t* residual) const {
    scale(target_, plan_, positions, accumulators, accumulator_stride, output, residual);
  }

 private:
  int lanes_;
  int accumulator_bits_;
  CpuTarget target_;
  ScalePlan plan_;
};

}  // namespace abacus::models
