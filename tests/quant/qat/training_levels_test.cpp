#include "sw/quant/qat/training_levels.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "sw/quant/layers/adder_quantizer.hpp"

namespace abacus::quant {
namespace {

std::vector<float> floats(const torch::Tensor& tensor) {
  return {tensor.data_ptr<float>(), tensor.data_ptr<float>() + tensor.numel()};
}

// Two ways to the same levels: one by one, as packages are made, and on tensors, as on a GPU.
TEST(TrainingLevels, TensorsGiveThePackagesLevels) {
  torch::manual_seed(1);
  std::mt19937 random(1);
  for (const OperandGrid grid :
       {OperandGrid::symmetric, OperandGrid::unsigned_activations, OperandGrid::nonnegative}) {
    for (const bool clamp : {false, true}) {
      for (int bits = 2; bits <= 8; ++bits) {
        SCOPED_TRACE(to_string(grid) + ", " + std::to_string(bits) + " bits, clamp " +
                     std::to_string(clamp));
        const torch::Tensor weights = torch::randn({9, 5, 3, 3}) * 0.8;
        AdderQuantizerOptions options;
        options.weight_bits = bits;
        options.activation_bits = std::uniform_int_distribution<int>(2, 8)(random);
        options.grid = grid;
        options.groups = 3;
        options.weight_clamp = clamp;
        const ConvolutionPlan plan = plan_adder_layer(floats(weights), 9, 1.9, options);
        const AdderGrid unit = adder_grid(1, bits, options.activation_bits, grid);
        const UndoneSides sides = clamp ? undone_sides(unit) : UndoneSides();
        QuantizedConvolution expected = quantize_adder_convolution(plan, floats(weights), {});
        undo_lossless_clamp(floats(weights), unit, sides, plan, expected);

        std::vector<double> range, step;
        for (const std::int32_t group : plan.group) {
          range.push_back(plan.range[static_cast<std::size_t>(group)]);
          step.push_back(
              adder_grid(range.back(), bits, options.activation_bits, grid).weight_step());
        }
        const torch::Tensor levels =
            adder_levels(weights, torch::tensor(range, torch::kFloat64),
                         torch::tensor(step, torch::kFloat64), unit, sides, plan);
        EXPECT_EQ(floats(levels),
                  std::vector<float>(expected.weights.begin(), expected.weights.end()));
        if (grid == OperandGrid::nonnegative && clamp) {
          EXPECT_LT(levels.min().item<float>(), 0) << "the clamp was to be undone";
        }
      }
    }
  }
}

TEST(TrainingLevels, TensorsGiveThePackagesLevelsOfOrdinaryLayers) {
  torch::manual_seed(2);
  const torch::Tensor weights = torch::randn({6, 4, 3, 3});
  for (int bits = 2; bits <= 8; ++bits) {
    ConvolutionPlan plan;
    plan.weight_bits = bits;
    for (int o = 0; o < 6; ++o) plan.weight_step.push_back(0.013 * (o + 1));
    const QuantizedConvolution expected = quantize_ordinary_convolution(plan, floats(weights), {});
    const torch::Tensor levels =
        ordinary_levels(weights, torch::tensor(plan.weight_step, torch::kFloat64),
                        {lowest_integer(bits, true), highest_integer(bits, true)});
    EXPECT_EQ(floats(levels), std::vector<float>(expected.weights.begin(), expected.weights.end()));
  }
}

}  // namespace
}  // namespace abacus::quant
