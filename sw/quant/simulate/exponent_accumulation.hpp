// The accumulators of a convolution with exponent weights, exactly, by way of ordinary convolutions.
#pragma once

#include <vector>

#include "sw/quant/plan/quantized_convolution.hpp"
#include "sw/train/torch.hpp"

namespace abacus::quant {

class ExponentAccumulation {
 public:
  // `weights`: the stored ones, output × input channel × ky × kx.
  ExponentAccumulation(const QuantizedConvolution& convolution, const torch::Tensor& weights);

  // Accumulators, N×C×H×W, in units of 1: multiples of 2^−fraction_bits. In float32 where that is exact,
  // else in float64. `operands`: integers in float32, of the convolution's activation range.
  torch::Tensor run(const torch::Tensor& operands, int stride, int padding) const;

 private:
  int lowest_;                         // operand
  std::vector<torch::Tensor> tables_;  // by operand − lowest: what a code makes of it
  torch::Tensor weights_;  // of the operands themselves, then of each table's values, as channels
};

}  // namespace abacus::quant
