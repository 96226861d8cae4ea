// Adder operands as the CUDA kernels take them.
#pragma once

#include "sw/kernels/adder_grid_kernels.hpp"

namespace abacus::kernels {

// Values as they are, or, with a unit, the nearest whole number of units.
class AdderReader {
 public:
  explicit AdderReader(float unit) : inverse_(unit == 0 ? 0.0F : 1.0F / unit) {}

  __device__ float activation(float value) const {
    return inverse_ == 0 ? value : rintf(value * inverse_);
  }
  __device__ float weight(float value) const {
    constexpr float largest = kLargestGridWeight;
    return inverse_ == 0 ? value : fminf(fmaxf(rintf(value * inverse_), -largest), largest);
  }

 private:
  float inverse_;  // 0: no unit
};

}  // namespace abacus::kernels
