// In which type sums of integers are exact.
#pragma once

#include "sw/train/torch.hpp"

namespace abacus::quant {

// `largest`: the largest magnitude of each summand (column) of each sum (row), in float64. Float32 has
// integers up to 2^24; beyond that float64, which has them up to 2^53.
inline torch::ScalarType exact_sum_type(const torch::Tensor& largest) {
  constexpr double exact_in_float = 16777216;
  return largest.sum(1).max().item<double>() <= exact_in_float ? torch::kFloat32 : torch::kFloat64;
}

}  // namespace abacus::quant
