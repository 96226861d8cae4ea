#include "sw/quant/plan/scale_arithmetic.hpp"

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace abacus::quant {
namespace {

// One operand's factor: a multiplier and a left shift.
struct Factor {
  std::int64_t multiplier = 0;
  int left_shift = 0;

  std::int64_t apply(float value) const {
    // A multiplication, not a shift: the value may be negative.
    return static_cast<std::int64_t>(value) * multiplier * (std::int64_t{1} << left_shift);
  }
};

// What all three have in common: the sum of products, shifted, rectified, clamped.
struct Rounding {
  std::int64_t half;
  int shift;
  std::int64_t lowest, highest;

  explicit Rounding(const network::IntegerLayer& layer)
      : half(layer.shift + layer.fraction_bits == 0
                 ? 0
                 : std::int64_t{1} << (layer.shift + layer.fraction_bits - 1)),
        shift(layer.shift + layer.fraction_bits),
        lowest(layer.relu ? std::max(0, layer.output.lowest()) : layer.output.lowest()),
        highest(layer.output.highest()) {}

  float apply(std::int64_t product) const {
    return static_cast<float>(std::clamp((product + half) >> shift, lowest, highest));
  }
};

}  // namespace

torch::Tensor scale_convolution(const network::IntegerLayer& layer,
                                const torch::Tensor& accumulators, const torch::Tensor& residual) {
  const torch::Tensor values = accumulators.contiguous();
  const torch::Tensor added = residual.defined() ? residual.contiguous() : residual;
  torch::Tensor result = torch::empty_like(values, torch::kFloat32);
  const Rounding rounding(layer);
  const Factor factor{layer.residual_multiplier, layer.residual_shift};
  const std::int64_t one = std::int64_t{1} << layer.fraction_bits;
  const std::int64_t channels = values.size(1);
  const std::int64_t planes = values.size(0) * channels;
  const std::int64_t plane = values.size(2) * values.size(3);
  const float* const residuals = added.defined() ? added.data_ptr<float>() : nullptr;
  float* const to = result.data_ptr<float>();
  const auto run = [&](const auto* const from) {
    const auto units = static_cast<std::remove_cv_t<std::remove_pointer_t<decltype(from)>>>(one);
#pragma omp parallel for
    for (std::int64_t p = 0; p < planes; ++p) {
      const std::size_t o = static_cast<std::size_t>(p % channels);
      const std::int64_t multiplier = layer.multipliers[o];
      const std::int64_t bias = layer.biases[o];
      for (std::int64_t i = p * plane; i < (p + 1) * plane; ++i) {
        const std::int64_t other = residuals == nullptr ? 0 : factor.apply(residuals[i]);
        to[i] = rounding.apply(static_cast<std::int64_t>(from[i] * units) * multiplier +
                               (bias + other) * one);
      }
    }
  };
  if (values.scalar_type() == torch::kFloat64) {
    run(values.data_ptr<double>());
  } else {
    run(values.data_ptr<float>());
  }
  return result;
}

torch::Tensor scale_addition(const network::IntegerLayer& layer, const torch::Tensor& input,
                             const torch::Tensor& residual) {
  const torch::Tensor first = input.contiguous(), second = residual.contiguous();
  torch::Tensor result = torch::empty_like(first);
  const Rounding rounding(layer);
  const Factor factor{layer.multiplier, layer.left_shift};
  const Factor other{layer.residual_multiplier, layer.residual_shift};
  const float* const a = first.data_ptr<float>();
  const float* const b = second.data_ptr<float>();
  float* const to = result.data_ptr<float>();
  for (std::int64_t i = 0; i < first.numel(); ++i) {
    to[i] = rounding.apply(factor.apply(a[i]) + other.apply(b[i]));
  }
  return result;
}

torch::Tensor scale_pool(const network::IntegerLayer& layer, const torch::Tensor& values) {
  const torch::Tensor sums = values.contiguous();
  torch::Tensor result = torch::empty_like(sums);
  const Rounding rounding(layer);
  const float* const from = sums.data_ptr<float>();
  float* const to = result.data_ptr<float>();
  for (std::int64_t i = 0; i < sums.numel(); ++i) {
    to[i] = rounding.apply(static_cast<std::int64_t>(from[i]) * layer.multiplier + layer.bias);
  }
  return result;
}

}  // namespace abacus::quant
