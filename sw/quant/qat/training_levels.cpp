#include "sw/quant/qat/training_levels.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace abacus::quant {
namespace {

// What a package's 16 bits would hold.
constexpr double largest_level = 32767;

torch::Tensor channel_column(const torch::Tensor& values) { return values.view({-1, 1, 1, 1}); }

// ⌊weights / step + ½⌋
torch::Tensor rounded(const torch::Tensor& weights, const torch::Tensor& step) {
  return (weights / step + 0.5).floor();
}

}  // namespace

UndoneSides undone_sides(const AdderGrid& unit_grid) {
  const double step = unit_grid.weight_step(), activation_step = unit_grid.activation_step();
  return {unit_grid.weight_lowest * step <= unit_grid.activation_lowest * activation_step,
          unit_grid.weight_highest * step >= unit_grid.activation_highest * activation_step};
}

void undo_lossless_clamp(const std::vector<float>& weights, const AdderGrid& unit_grid,
                         const UndoneSides& sides, const ConvolutionPlan& plan,
                         QuantizedConvolution& convolution) {
  if (!sides.below && !sides.above) return;
  const std::size_t size = weights.size() / plan.group.size();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double range = plan.range[static_cast<std::size_t>(plan.group[i / size])];
    const double step = range * unit_grid.weight_step();
    const double level = std::clamp(std::floor(static_cast<double>(weights[i]) / step + 0.5),
                                    -largest_level, largest_level);
    if ((sides.below && level < unit_grid.weight_lowest) ||
        (sides.above && level > unit_grid.weight_highest)) {
      convolution.weights[i] = static_cast<std::int16_t>(level);
    }
  }
}

torch::Tensor adder_levels(const torch::Tensor& weights, const torch::Tensor& range,
                           const torch::Tensor& step, const AdderGrid& unit_grid,
                           const UndoneSides& sides, const ConvolutionPlan& plan) {
  torch::NoGradGuard no_gradient;
  const torch::Tensor highest = channel_column(range);
  const torch::Tensor values = weights.detach().to(torch::kFloat64);
  torch::Tensor clamped = values;
  if (plan.weight_clamp) {
    const double lowest = plan.grid == OperandGrid::nonnegative ? 0 : -1;
    clamped = torch::minimum(torch::maximum(values, highest * lowest), highest);
  }
  torch::Tensor levels = rounded(clamped, channel_column(step))
                             .clamp(unit_grid.weight_lowest, unit_grid.weight_highest);
  if (sides.below || sides.above) {
    const torch::Tensor wide =
        rounded(values, highest * unit_grid.weight_step()).clamp(-largest_level, largest_level);
    if (sides.below) levels = torch::where(wide < unit_grid.weight_lowest, wide, levels);
    if (sides.above) levels = torch::where(wide > unit_grid.weight_highest, wide, levels);
  }
  return levels.to(torch::kFloat32);
}

torch::Tensor ordinary_levels(const torch::Tensor& weights, const torch::Tensor& step,
                              const IntegerRange& range) {
  torch::NoGradGuard no_gradient;
  return rounded(weights.detach().to(torch::kFloat64), channel_column(step))
      .clamp(range.lowest, range.highest)
      .to(torch::kFloat32);
}

}  // namespace abacus::quant
