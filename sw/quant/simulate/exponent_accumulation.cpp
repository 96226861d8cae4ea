#include "sw/quant/simulate/exponent_accumulation.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "sw/quant/plan/exponent_taps.hpp"
#include "sw/quant/simulate/exact_sum.hpp"

namespace abacus::quant {

ExponentAccumulation::ExponentAccumulation(const QuantizedConvolution& convolution,
                                           const torch::Tensor& weights)
    : lowest_(lowest_integer(convolution.activation_bits, convolution.activation_signed)) {
  const int highest = highest_integer(convolution.activation_bits, convolution.activation_signed);
  const double unit = std::ldexp(1.0, -convolution.fraction_bits);
  torch::Tensor largest = torch::zeros_like(weights);  // tap, in units of 2^−fraction_bits
  // Where a code's taps are a multiple of the operand, its weight is that multiple.
  torch::Tensor multiples = torch::zeros_like(weights);
  std::vector<torch::Tensor> planes;
  for (int code = 1; code <= convolution.code.magnitudes; ++code) {
    const auto tap = [&](int operand) {
      return exponent_tap(convolution.code, convolution.fraction_bits, operand, code);
    };
    std::vector<float> taps;
    bool linear = true;
    int most = 0;
    for (int operand = lowest_; operand <= highest; ++operand) {
      taps.push_back(static_cast<float>(tap(operand) * unit));
      linear = linear && tap(operand) == operand * tap(1);
      most = std::max(most, std::abs(tap(operand)));
    }
    const torch::Tensor signs =
        weights.eq(code).to(torch::kFloat32) - weights.eq(-code).to(torch::kFloat32);
    largest.add_(signs.abs(), most);
    if (linear) {
      multiples.add_(signs, tap(1) * unit);
    } else {
      tables_.push_back(torch::tensor(taps));
      planes.push_back(signs);
    }
  }
  planes.insert(planes.begin(), multiples);
  weights_ = torch::cat(planes, 1).to(exact_sum_type(largest.flatten(1).to(torch::kFloat64)));
}

torch::Tensor ExponentAccumulation::run(const torch::Tensor& operands, int stride,
                                        int padding) const {
  const auto sum = [&](const torch::Tensor& values) {
    return torch::conv2d(values.to(weights_.scalar_type()), weights_, {}, stride, padding);
  };
  if (tables_.empty()) return sum(operands);
  std::vector<torch::Tensor> planes = {operands};
  const torch::Tensor places = (operands - lowest_).to(torch::kInt64).contiguous();
  for (const torch::Tensor& table : tables_) {
    planes.push_back(table.index_select(0, places.flatten()).view(places.sizes()));
  }
  return sum(torch::cat(planes, 1));
}

}  // namespace abacus::quant
