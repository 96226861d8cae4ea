// Read quantizer: narrows stored activations to a layer's own operands on their way from the
// activation SRAM into a PE array.
//
// | property   | unit   | value                                                                    |
// | ---------- | ------ | ------------------------------------------------------------------------ |
// | width      | lanes  | the array's rows: keeps pace with the array                              |
// | latency    | cycles | 2 (multiply; round and clamp); 0 where it passes values or signs through |
// | multiplier | bits   | 16                                                                       |
//
// Function: docs/arithmetic.md, "Convolution", step 1, by the kernels of kernels.hpp.
// Actions a stored element read, unless it passes values or their signs through: a multiplication
// (stored bits × 16), an addition (rounding) and a shift at the product's width.
#pragma once

#include <cstdint>

#include "models/activity/activity.hpp"
#include "models/read_quantizer/kernels.hpp"

namespace abacus::models {

class ReadQuantizer {
 public:
  static constexpr int multiplier_bits = 16;
  static constexpr int active_latency = 2;

  explicit ReadQuantizer(CpuTarget target = best_cpu_target()) : target_(target) {}

  int latency_cycles(const ReadFormat& format) const { return format.wired() ? 0 : active_latency; }
  void count(Activity& activity, int layer, const ReadFormat& format, std::int64_t elements) const;

  // Fills a PE array's operand buffer.
  void read(const ReadFormat& format, const OperandLayout& layout, const ReadTile& tile,
            const std::uint8_t* input, void* operands) const {
    read_operands(target_, plan_read(format, layout, target_), tile, input, operands);
  }

 private:
  CpuTarget target_;
};

}  // namespace abacus::models
