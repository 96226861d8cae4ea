#include "sw/quant/weights/adder_rounding.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>

namespace abacus::quant {
namespace {

OperandSamples random_operands(std::int64_t taps, std::int64_t samples, int highest,
                               std::mt19937& random) {
  OperandSamples operands;
  operands.taps = taps;
  operands.samples = samples;
  std::uniform_int_distribution<int> level(0, highest);
  for (std::int64_t i = 0; i < taps * samples; ++i) {
    operands.values.push_back(static_cast<float>(level(random)));
  }
  return operands;
}

// Least Σ (gain · accumulator + b − target)² over b, computed from scratch.
double output_error(const OperandSamples& operands, const std::vector<float>& target, double gain,
                    const std::vector<std::int16_t>& weights, int shift) {
  std::vector<double> difference;
  double mean = 0;
  for (std::int64_t s = 0; s < operands.samples; ++s) {
    double sum = 0;
    for (std::int64_t t = 0; t < operands.taps; ++t) {
      sum += std::abs(static_cast<double>(operands.tap(t)[s]) -
                      weights[static_cast<std::size_t>(t)] * (1 << shift));
    }
    difference.push_back(gain * sum - static_cast<double>(target[static_cast<std::size_t>(s)]));
    mean += difference.back() / static_cast<double>(operands.samples);
  }
  double error = 0;
  for (const double value : difference) error += (value - mean) * (value - mean);
  return error;
}

TEST(AdderRounding, SumsDistances) {
  OperandSamples operands;
  operands.taps = 2;
  operands.samples = 3;
  operands.values = {0, 1, 5, 7, 2, 3};
  const std::int16_t weights[] = {2, -1};
  EXPECT_EQ(accumulate_samples(operands, weights, 1), (std::vector<float>{4 + 9, 3 + 4, 1 + 5}));
}

// The outputs of weights that lie on the grid, an offset added: from weights nearby, the descent has
// to come close to them.
TEST(AdderRounding, FindsTheWeightsThatMadeTheTarget) {
  std::mt19937 random(4);
  const OperandSamples operands = random_operands(12, 600, 15, random);
  const WeightLevels levels{0, 15, 0};
  std::vector<std::int16_t> truth, weights;
  for (int t = 0; t < 12; ++t) {
    truth.push_back(static_cast<std::int16_t>(random() % 16));
    const int moved = truth.back() + static_cast<int>(random() % 5) - 2;
    weights.push_back(static_cast<std::int16_t>(std::min(15, std::max(0, moved))));
  }
  std::vector<float> target = accumulate_samples(operands, truth.data(), 0);
  for (float& value : target) value = -0.25F * value + 3;
  const double before = output_error(operands, target, -0.25, weights, 0);
  EXPECT_TRUE(round_to_output(operands, target, -0.25, levels, 20, weights.data()));
  EXPECT_LT(output_error(operands, target, -0.25, weights, 0), before / 20);
}

TEST(AdderRounding, NeverRaisesTheErrorAndStaysOnTheGrid) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 30; ++trial) {
    const int bits = 2 + trial % 3, shift = trial % 2;
    const WeightLevels levels{shift == 0 ? 0 : -(1 << (bits - 1)),
                              shift == 0 ? (1 << bits) - 1 : (1 << (bits - 1)) - 1, shift};
    const OperandSamples operands = random_operands(9, 200, (1 << bits) - 1, random);
    std::vector<float> target;
    std::normal_distribution<float> normal(0, 4);
    for (int s = 0; s < 200; ++s) target.push_back(normal(random));
    std::vector<std::int16_t> weights;
    for (int t = 0; t < 9; ++t) {
      weights.push_back(static_cast<std::int16_t>(
          std::uniform_int_distribution<int>(levels.lowest, levels.highest)(random)));
    }
    const std::vector<std::int16_t> start = weights;
    const double before = output_error(operands, target, -0.7, weights, shift);
    const bool moved = round_to_output(operands, target, -0.7, levels, 3, weights.data());
    const double after = output_error(operands, target, -0.7, weights, shift);
    EXPECT_EQ(moved, weights != start);
    EXPECT_LE(after, before * (1 + 1e-5));
    if (moved) {
      EXPECT_LT(after, before);
    }
    for (const std::int16_t weight : weights) {
      EXPECT_GE(weight, levels.lowest);
      EXPECT_LE(weight, levels.highest);
    }
  }
}

TEST(AdderRounding, MovesNothingWithoutAGain) {
  std::mt19937 random(6);
  const OperandSamples operands = random_operands(3, 10, 3, random);
  std::vector<std::int16_t> weights = {0, 1, 2};
  EXPECT_FALSE(
      round_to_output(operands, std::vector<float>(10, 1.0F), 0, {0, 3, 0}, 5, weights.data()));
  EXPECT_EQ(weights, (std::vector<std::int16_t>{0, 1, 2}));
}

}  // namespace
}  // namespace abacus::quant
