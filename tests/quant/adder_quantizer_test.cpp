#include "sw/quant/adder_quantizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <stdexcept>

namespace abacus {
namespace {

std::vector<float> random_weights(std::size_t count, float deviation, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> weights(count);
  for (float& weight : weights) weight = normal(random);
  return weights;
}

TEST(AdderGrid, IsTheAuthorsForEqualWidths) {
  for (int bits = 2; bits <= 8; ++bits) {
    const AdderGrid grid = adder_grid(3.0, bits, bits, false);
    EXPECT_DOUBLE_EQ(grid.unit, 3.0 / ((1 << bits) - 1));
    EXPECT_EQ(grid.weight_shift, 1);
    EXPECT_EQ(grid.activation_shift, 0);
    // The paper's symmetric grid for both.
    const AdderGrid both = adder_grid(3.0, bits, bits, true);
    EXPECT_DOUBLE_EQ(both.unit, 6.0 / ((1 << bits) - 1));
    EXPECT_EQ(both.weight_shift, 0);
    EXPECT_EQ(both.activation_shift, 0);
  }
}

TEST(AdderGrid, CoversTheRangeWithinHalfAStepAndFitsTheHardware) {
  const double range = 1.7;
  for (int weight_bits = 2; weight_bits <= 8; ++weight_bits) {
    for (int activation_bits = 2; activation_bits <= 8; ++activation_bits) {
      for (const bool is_signed : {false, true}) {
        const AdderGrid grid = adder_grid(range, weight_bits, activation_bits, is_signed);
        const double weight_step = std::ldexp(grid.unit, grid.weight_shift);
        const double activation_step = std::ldexp(grid.unit, grid.activation_shift);
        const double half = 0.5 + 1e-9;
        EXPECT_GE(weight_step * (highest_integer(weight_bits, true) + half), range);
        EXPECT_GE(-weight_step * (lowest_integer(weight_bits, true) - half), range);
        // Unsigned activations reach the range itself.
        EXPECT_GE(activation_step *
                      (highest_integer(activation_bits, is_signed) + (is_signed ? half : 1e-9)),
                  range);
        // Neither step is twice as coarse as its width makes necessary.
        EXPECT_LT(weight_step, 2 * 2 * range / ((1 << weight_bits) - 1));
        EXPECT_LT(activation_step, 2 * (is_signed ? 2 : 1) * range / ((1 << activation_bits) - 1));
        EXPECT_TRUE(grid.weight_shift == 0 || grid.activation_shift == 0);
        EXPECT_LE(std::abs(lowest_integer(weight_bits, true)) << grid.weight_shift, 512);
        EXPECT_LE(highest_integer(activation_bits, is_signed) << grid.activation_shift, 512);
        EXPECT_LE(std::max(grid.weight_shift, grid.activation_shift), 7);
      }
    }
  }
}

// Output of one channel on inputs x: real, and from the integers.
double exact_output(const std::vector<double>& x, const float* weights) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    sum -= std::abs(x[i] - static_cast<double>(weights[i]));
  return sum;
}
double integer_output(const std::vector<double>& x, const QuantizedConvolution& layer,
                      std::size_t channel) {
  const double step = layer.activation_step[static_cast<std::size_t>(layer.group[channel])];
  long sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long level =
        std::clamp(std::lround(x[i] / step),
                   long{lowest_integer(layer.activation_bits, layer.activation_signed)},
                   long{highest_integer(layer.activation_bits, layer.activation_signed)});
    const long weight = layer.weights[channel * x.size() + i];
    sum += std::labs((level << layer.activation_shift) - weight * (1L << layer.weight_shift));
  }
  return layer.accumulator_step[channel] * static_cast<double>(sum) + layer.offset[channel];
}

// Theorem 1: all that is lost is rounding, at most half a step of weight and activation each,
// however far the weights pass the activations' range.
TEST(QuantizeAdderLayer, WeightClampIsLossless) {
  constexpr std::size_t taps = 72;
  constexpr int channels = 12;
  for (const float deviation : {1.5F, 3.0F, 200.0F}) {
    for (const bool is_signed : {false, true}) {
      const double range = 2.5;
      const std::vector<float> weights = random_weights(taps * channels, deviation, 5);
      AdderQuantizerOptions options;
      options.weight_bits = 7;
      options.activation_bits = 8;
      options.activation_signed = is_signed;
      options.groups = 1;
      const QuantizedConvolution layer = quantize_adder_layer(weights, channels, range, options);
      std::mt19937 random(9);
      std::uniform_real_distribution<double> uniform(is_signed ? -range : 0, range);
      const double step = -layer.accumulator_step[0];
      const double half_steps =
          0.5 * step * (1 << layer.weight_shift) + 0.5 * step * (1 << layer.activation_shift);
      for (int trial = 0; trial < 20; ++trial) {
        std::vector<double> x(taps);
        for (double& value : x) value = uniform(random);
        for (std::size_t o = 0; o < channels; ++o) {
          EXPECT_NEAR(integer_output(x, layer, o), exact_output(x, weights.data() + o * taps),
                      taps * half_steps * 1.0001);
        }
      }
    }
  }
}

TEST(QuantizeAdderLayer, FartherOutliersChangeNothingButTheOffset) {
  std::vector<float> weights = random_weights(90, 1.0F, 3);
  weights[7] = 10.0F;
  weights[40] = -12.0F;
  AdderQuantizerOptions options;
  options.groups = 1;
  const QuantizedConvolution before = quantize_adder_layer(weights, 10, 1.0, options);
  weights[7] = 1000.0F;
  weights[40] = -2000.0F;
  const QuantizedConvolution after = quantize_adder_layer(weights, 10, 1.0, options);
  EXPECT_EQ(before.weights, after.weights);
  EXPECT_EQ(before.accumulator_step, after.accumulator_step);
  EXPECT_NEAR(after.offset[0], before.offset[0] - 990.0, 1e-6);
  EXPECT_NEAR(after.offset[4], before.offset[4] - 1988.0, 1e-6);
  EXPECT_EQ(after.offset[1], before.offset[1]);
}

TEST(QuantizeAdderLayer, TakesTheWeightsRangeWhereItIsTheSmaller) {
  const std::vector<float> weights = {0.5F, -1.0F, 0.25F, 0.75F};
  AdderQuantizerOptions options;
  options.weight_bits = options.activation_bits = 4;
  options.groups = 1;
  const QuantizedConvolution layer = quantize_adder_layer(weights, 2, 8.0, options);
  EXPECT_DOUBLE_EQ(layer.activation_step[0], 1.0 / 15);
  EXPECT_EQ(layer.offset, (std::vector<double>{0, 0}));
}

TEST(QuantizeAdderLayer, GroupsChannelsByTheirRange) {
  // Channels of range 1, 8, 1.1, 7.9; the activations' range lies between.
  const std::vector<float> weights = {1, -0.5F, 8, 2, -1.1F, 0, 3, -7.9F};
  AdderQuantizerOptions options;
  options.groups = 2;
  const QuantizedConvolution grouped = quantize_adder_layer(weights, 4, 4.0, options);
  EXPECT_EQ(grouped.group, (std::vector<std::int32_t>{0, 1, 0, 1}));
  ASSERT_EQ(grouped.activation_step.size(), 2U);
  EXPECT_NEAR(grouped.activation_step[0], 1.1 / 255, 1e-7);
  EXPECT_NEAR(grouped.activation_step[1], 4.0 / 255, 1e-12);
  EXPECT_NEAR(grouped.offset[1], -4.0, 1e-6);
  EXPECT_NEAR(grouped.offset[3], -3.9, 1e-6);

  options.groups = 1;
  EXPECT_EQ(quantize_adder_layer(weights, 4, 4.0, options).activation_step.size(), 1U);
  // Without the clamp the weights' range stands.
  options.weight_clamp = false;
  const QuantizedConvolution wide = quantize_adder_layer(weights, 4, 4.0, options);
  EXPECT_NEAR(wide.activation_step[0], 8.0 / 255, 1e-12);
  EXPECT_EQ(wide.offset, std::vector<double>(4, 0.0));
}

TEST(QuantizeAdderLayer, MergesGroupsOfEqualRange) {
  const std::vector<float> weights = random_weights(64 * 9, 5.0F, 8);
  AdderQuantizerOptions options;
  options.groups = 4;
  EXPECT_EQ(quantize_adder_layer(weights, 64, 1.0, options).activation_step.size(), 1U);
  EXPECT_EQ(quantize_adder_layer(weights, 64, 1000.0, options).activation_step.size(), 4U);
}

TEST(QuantizeAdderLayer, SurvivesZeros) {
  const QuantizedConvolution layer =
      quantize_adder_layer(std::vector<float>(8, 0.0F), 2, 0.0, AdderQuantizerOptions{});
  EXPECT_EQ(layer.weights, std::vector<std::int16_t>(8, 0));
  EXPECT_TRUE(std::isfinite(layer.accumulator_step[0]));
}

TEST(QuantizeAdderLayer, RefusesWhatDoesNotFit) {
  const std::vector<float> weights(8, 1.0F);
  AdderQuantizerOptions options;
  EXPECT_THROW(quantize_adder_layer(weights, 3, 1, options), std::invalid_argument);
  EXPECT_THROW(quantize_adder_layer({}, 2, 1, options), std::invalid_argument);
  options.weight_bits = 1;
  EXPECT_THROW(quantize_adder_layer(weights, 2, 1, options), std::invalid_argument);
  options.weight_bits = 8;
  options.activation_bits = 9;
  EXPECT_THROW(quantize_adder_layer(weights, 2, 1, options), std::invalid_argument);
  options.activation_bits = 8;
  options.groups = 0;
  EXPECT_THROW(quantize_adder_layer(weights, 2, 1, options), std::invalid_argument);
}

}  // namespace
}  // namespace abacus
