#include "sw/quant/layers/uniform_quantizer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <stdexcept>

#include "sw/quant/plan/quantization_plan.hpp"

namespace abacus::quant {
namespace {

double squared_error(const std::vector<float>& weights, double step, int bits) {
  double error = 0;
  for (const float weight : weights) {
    const double level =
        std::min<double>(highest_integer(bits, true),
                         std::max<double>(lowest_integer(bits, true),
                                          std::round(static_cast<double>(weight) / step)));
    error += std::pow(static_cast<double>(weight) - level * step, 2);
  }
  return error;
}

TEST(UniformWeights, StepIsAsGoodAsAnyOther) {
  std::mt19937 random(6);
  std::normal_distribution<float> normal(0, 0.2F);
  std::vector<float> weights(300);
  for (float& weight : weights) weight = normal(random);
  for (int bits = 2; bits <= 8; ++bits) {
    const double found =
        squared_error(weights, best_weight_step(weights.data(), weights.size(), bits), bits);
    for (double step = 0.001; step < 1.0; step *= 1.03) {
      EXPECT_LE(found, squared_error(weights, step, bits) * 1.03) << bits << " bits, step " << step;
    }
  }
}

TEST(UniformLayer, GivesEachChannelItsOwnStep) {
  const std::vector<float> weights = {0.1F, -0.2F, 10.0F, -20.0F, 0.0F, 0.0F};
  ConvolutionPlan plan;
  plan.activation_step = 0.5;
  plan.weight_step = best_weight_steps(weights, 3, 8);
  const QuantizedConvolution layer =
      quantize_ordinary_convolution(plan, weights, {1.5F, -2.5F, 0.0F});
  EXPECT_EQ(layer.offset, (std::vector<double>{1.5, -2.5, 0.0}));
  EXPECT_EQ(layer.group, (std::vector<std::int32_t>{0, 0, 0}));
  EXPECT_EQ(layer.activation_step, std::vector<double>{0.5});
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double step = layer.accumulator_step[i / 2] / 0.5;
    EXPECT_NEAR(step * layer.weights[i], static_cast<double>(weights[i]), step / 2 * 1.0001) << i;
  }
  EXPECT_GE(std::abs(layer.weights[1]), 100);
  EXPECT_GE(std::abs(layer.weights[3]), 100);
}

TEST(UniformLayer, RefusesWhatDoesNotFit) {
  const std::vector<float> weights(6, 1.0F);
  EXPECT_THROW(best_weight_steps(weights, 4, 8), std::invalid_argument);
  EXPECT_THROW(best_weight_steps(weights, 3, 9), std::invalid_argument);
  ConvolutionPlan plan;
  plan.weight_step = {1, 1, 1};
  EXPECT_THROW(quantize_ordinary_convolution(plan, weights, {1.0F}), std::invalid_argument);
  EXPECT_THROW(quantize_ordinary_convolution(plan, {1, 2}, {}), std::invalid_argument);
  plan.weight_bits = 9;
  EXPECT_THROW(quantize_ordinary_convolution(plan, weights, {}), std::invalid_argument);
}

}  // namespace
}  // namespace abacus::quant
