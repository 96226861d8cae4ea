// Plans of adder layers, their grids, and what quantize_adder_convolution() makes of them.
#include "sw/quant/layers/adder_quantizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <stdexcept>

#include "sw/quant/plan/adder_grid.hpp"

namespace abacus::quant {
namespace {

QuantizedConvolution quantize_adder_layer(const std::vector<float>& weights, int output_channels,
                                          double activation_range,
                                          const AdderQuantizerOptions& options) {
  return quantize_adder_convolution(
      plan_adder_layer(weights, output_channels, activation_range, options), weights, {});
}

std::vector<float> random_weights(std::size_t count, float deviation, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> weights(count);
  for (float& weight : weights) weight = normal(random);
  return weights;
}

TEST(AdderGrid, IsTheAuthorsForEqualWidths) {
  for (int bits = 2; bits <= 8; ++bits) {
    const AdderGrid grid = adder_grid(3.0, bits, bits, OperandGrid::unsigned_activations);
    EXPECT_DOUBLE_EQ(grid.unit, 3.0 / ((1 << bits) - 1));
    EXPECT_EQ(grid.weight_shift, 1);
    EXPECT_EQ(grid.activation_shift, 0);
    // The paper's symmetric grid for both.
    const AdderGrid both = adder_grid(3.0, bits, bits, OperandGrid::symmetric);
    EXPECT_DOUBLE_EQ(both.unit, 6.0 / ((1 << bits) - 1));
    EXPECT_EQ(both.weight_shift, 0);
    EXPECT_EQ(both.activation_shift, 0);
    // Without a sign both operands have all levels, half as far apart.
    const AdderGrid nonnegative = adder_grid(3.0, bits, bits, OperandGrid::nonnegative);
    EXPECT_DOUBLE_EQ(nonnegative.unit, 3.0 / ((1 << bits) - 1));
    EXPECT_EQ(nonnegative.weight_shift, 0);
    EXPECT_EQ(nonnegative.activation_shift, 0);
    EXPECT_EQ(nonnegative.weight_lowest, 0);
    EXPECT_EQ(nonnegative.weight_highest, (1 << bits) - 1);
  }
}

TEST(AdderGrid, CoversTheRangeWithinHalfAStepAndFitsTheHardware) {
  const double range = 1.7;
  for (int weight_bits = 2; weight_bits <= 8; ++weight_bits) {
    for (int activation_bits = 2; activation_bits <= 8; ++activation_bits) {
      for (const std::string& name : operand_grid_names()) {
        const OperandGrid which = operand_grid_from_string(name);
        const AdderGrid grid = adder_grid(range, weight_bits, activation_bits, which);
        const bool weight_signed = which != OperandGrid::nonnegative;
        const bool activation_signed = which == OperandGrid::symmetric;
        // A signed grid reaches half a step past its last level, an unsigned one the level itself.
        const auto reach = [](bool is_signed) { return is_signed ? 0.5 + 1e-9 : 1e-9; };
        EXPECT_GE(grid.weight_step() * (grid.weight_highest + reach(weight_signed)), range);
        EXPECT_GE(grid.activation_step() * (grid.activation_highest + reach(activation_signed)),
                  range);
        if (weight_signed) {
          EXPECT_GE(-grid.weight_step() * (grid.weight_lowest - 0.5), range);
        }
        // Neither step is twice as coarse as its width makes necessary.
        EXPECT_LT(grid.weight_step(),
                  2 * (weight_signed ? 2 : 1) * range / ((1 << weight_bits) - 1));
        EXPECT_LT(grid.activation_step(),
                  2 * (activation_signed ? 2 : 1) * range / ((1 << activation_bits) - 1));
        EXPECT_TRUE(grid.weight_shift == 0 || grid.activation_shift == 0);
        EXPECT_LE(std::max(std::abs(grid.weight_lowest), grid.weight_highest) << grid.weight_shift,
                  512);
        EXPECT_LE(grid.activation_highest << grid.activation_shift, 512);
        EXPECT_LE(std::max(grid.weight_shift, grid.activation_shift), 7);
      }
    }
  }
}

TEST(AdderGrid, RefusesWidthsAndRangesThatAreNone) {
  EXPECT_THROW(adder_grid(1, 1, 8, OperandGrid::symmetric), std::invalid_argument);
  EXPECT_THROW(adder_grid(1, 8, 9, OperandGrid::symmetric), std::invalid_argument);
  EXPECT_THROW(adder_grid(0, 8, 8, OperandGrid::symmetric), std::invalid_argument);
}

TEST(OperandGrid, IsKnownByName) {
  for (const std::string& name : operand_grid_names()) {
    EXPECT_EQ(to_string(operand_grid_from_string(name)), name);
  }
  EXPECT_THROW(operand_grid_from_string("signed"), std::invalid_argument);
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
    for (const std::string& name : operand_grid_names()) {
      const double range = 2.5;
      const std::vector<float> weights = random_weights(taps * channels, deviation, 5);
      AdderQuantizerOptions options;
      options.weight_bits = 7;
      options.activation_bits = 8;
      options.groups = 1;
      options.grid = operand_grid_from_string(name);
      const bool is_signed = options.grid == OperandGrid::symmetric;
      const QuantizedConvolution layer = quantize_adder_layer(weights, channels, range, options);
      EXPECT_EQ(layer.weight_signed, options.grid != OperandGrid::nonnegative);
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
  // Without the clamp the same grid, at whose end the weights are clipped for nothing.
  const QuantizedConvolution clamped = quantize_adder_layer(weights, 4, 4.0, options);
  options.weight_clamp = false;
  const QuantizedConvolution clipped = quantize_adder_layer(weights, 4, 4.0, options);
  EXPECT_EQ(clipped.activation_step, clamped.activation_step);
  // -s lies half-way between the grid's last two levels.
  EXPECT_EQ(clipped.weights, (std::vector<std::int16_t>{32, -16, 127, 64, -35, 0, 96, -128}));
  EXPECT_EQ(clamped.weights, (std::vector<std::int16_t>{32, -16, 127, 64, -35, 0, 96, -127}));
  EXPECT_NE(clamped.offset, clipped.offset);
  EXPECT_EQ(clipped.offset, std::vector<double>(4, 0.0));
}

TEST(QuantizeAdderLayer, GroupsByTheMethodThatIsAskedFor) {
  // By their largest weights channels 0, 2 and 3 belong together, by their means 0, 1 and 3, in
  // order 0 and 1, as vectors 0 and 3.
  const std::vector<float> weights = {4, 0, 0, 0, 1, 1, 1, 1, 3.9F, 3, -3, 3, 3, 0.5F, 0, 0};
  AdderQuantizerOptions options;
  options.groups = 2;
  const auto groups = [&](GroupMethod method) {
    options.group_method = method;
    // Beyond all weights, or the groups would share the activations' range and be merged.
    return plan_adder_layer(weights, 4, 8.0, options).group;
  };
  using Groups = std::vector<std::int32_t>;
  EXPECT_EQ(groups(GroupMethod::max), (Groups{1, 0, 1, 1}));
  EXPECT_EQ(groups(GroupMethod::mean), (Groups{0, 0, 1, 0}));
  EXPECT_EQ(groups(GroupMethod::uniform), (Groups{0, 0, 1, 1}));
  const Groups whole = groups(GroupMethod::all);
  EXPECT_EQ(whole[0], whole[3]);
  EXPECT_NE(whole[0], whole[2]);
}

TEST(QuantizeAdderLayer, NonnegativeGridsReachNoFartherThanPositiveWeights) {
  const std::vector<float> weights = {0.5F, -9.0F, 0.25F, 1.0F};
  AdderQuantizerOptions options;
  options.weight_bits = options.activation_bits = 4;
  options.groups = 1;
  options.grid = OperandGrid::nonnegative;
  const QuantizedConvolution layer = quantize_adder_layer(weights, 2, 8.0, options);
  EXPECT_DOUBLE_EQ(layer.activation_step[0], 1.0 / 15);
  EXPECT_EQ(layer.weights, (std::vector<std::int16_t>{8, 0, 4, 15}));
  EXPECT_EQ(layer.offset, (std::vector<double>{-9, 0}));
}

TEST(SharedScale, IsTheRangeOfOneAndClipsTheOther) {
  const std::vector<float> weights = {3, -4, 1, 0.5F};
  const auto plan = [&](double activations, SharedScale scale) {
    return plan_shared_scale_layer(weights, 2, activations, scale, 8, 8, OperandGrid::symmetric);
  };
  const ConvolutionPlan small = plan(2.0, SharedScale::activations);
  EXPECT_EQ(small.range, std::vector<double>{2.0});
  const QuantizedConvolution clipped = quantize_adder_convolution(small, weights, {});
  EXPECT_EQ(clipped.weights[0], 127);
  EXPECT_EQ(clipped.weights[1], -128);
  EXPECT_EQ(clipped.offset, (std::vector<double>{0, 0}));  // what is clipped is lost
  EXPECT_EQ(plan(100.0, SharedScale::activations).range, std::vector<double>{100.0});
  EXPECT_EQ(plan(100.0, SharedScale::weights).range, std::vector<double>{4.0});
}

TEST(QuantizeAdderConvolution, AddsTheConvolutionsBiasAndRefusesWhatDoesNotFit) {
  const std::vector<float> weights = {1, 2, 3, 4};
  AdderQuantizerOptions options;
  ConvolutionPlan plan = plan_adder_layer(weights, 2, 3.0, options);
  EXPECT_EQ(quantize_adder_convolution(plan, weights, {0.5F, -1}).offset,
            (std::vector<double>{0.5, -2}));
  EXPECT_THROW(quantize_adder_convolution(plan, weights, {0.5F}), std::invalid_argument);
  EXPECT_THROW(quantize_adder_convolution(plan, {1, 2, 3}, {}), std::invalid_argument);
  ConvolutionPlan bad = plan;
  bad.group[1] = 7;
  EXPECT_THROW(quantize_adder_convolution(bad, weights, {}), std::invalid_argument);
  bad = plan;
  bad.activation_signed = true;
  EXPECT_THROW(quantize_adder_convolution(bad, weights, {}), std::invalid_argument);
  bad = plan;
  bad.range.clear();
  EXPECT_THROW(quantize_adder_convolution(bad, weights, {}), std::invalid_argument);
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
}  // namespace abacus::quant
