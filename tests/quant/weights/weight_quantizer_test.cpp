#include "sw/quant/weights/weight_quantizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <set>
#include <stdexcept>
#include <string>

#include "sw/quant/weights/level_sets.hpp"
#include "sw/quant/weights/lq_net.hpp"

namespace abacus::quant {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int channels = 6;

std::vector<float> bell_shaped(unsigned seed, std::size_t count) {
  std::mt19937 random(seed);
  std::normal_distribution<float> values(0, 0.2F);
  std::vector<float> weights;
  for (std::size_t i = 0; i < count; ++i) weights.push_back(values(random));
  return weights;
}

WeightPlan plan_of(WeightQuantizer quantizer, int bits, const std::vector<float>& weights) {
  WeightPlan plan{quantizer, bits, 0, {}};
  plan.parameters = initial_parameters(plan, weights, channels);
  return plan;
}

std::vector<double> values(const QuantizedWeights& quantized) {
  std::vector<double> result;
  const std::size_t size = quantized.stored.size() / quantized.step.size();
  for (std::size_t i = 0; i < quantized.stored.size(); ++i) {
    result.push_back(quantized.step[i / size] * quantized.code.value(quantized.stored[i]));
  }
  return result;
}

std::vector<std::pair<WeightQuantizer, int>> all() {
  std::vector<std::pair<WeightQuantizer, int>> result;
  for (const std::string& name : weight_quantizer_names()) {
    for (int bits = 2; bits <= 8; ++bits) {
      const WeightPlan plan{weight_quantizer_from_string(name), bits, 0, {}};
      try {
        check(plan);
      } catch (const std::invalid_argument&) {
        continue;
      }
      result.emplace_back(plan.quantizer, bits);
    }
  }
  return result;
}

TEST(WeightQuantizer, NamesAreReadBack) {
  for (const std::string& name : weight_quantizer_names()) {
    EXPECT_EQ(to_string(weight_quantizer_from_string(name)), name);
  }
  try {
    weight_quantizer_from_string("minmax");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("\"minmax\""), HasSubstr("lqnet")));
  }
}

TEST(WeightQuantizer, EveryOneHasTheWidthsOfThePapers) {
  std::set<std::pair<WeightQuantizer, int>> found;
  for (const auto& of : all()) found.insert(of);
  for (const std::string& name : weight_quantizer_names()) {
    for (const int bits : {2, 3, 4}) {
      EXPECT_EQ(found.count({weight_quantizer_from_string(name), bits}), 1U) << name << bits;
    }
    // Sums of three powers of two (6 bits) are integers; more do not fit 8 bits.
    EXPECT_EQ(found.count({weight_quantizer_from_string(name), 8}), name == "apot" ? 0U : 1U)
        << name;
  }
}

TEST(WeightQuantizer, StoredWeightsFitTheirBitsAndTakeNoMoreLevelsThanTheWidthHas) {
  const std::vector<float> weights = bell_shaped(1, channels * 500);
  for (const auto& [quantizer, bits] : all()) {
    SCOPED_TRACE(to_string(quantizer) + " " + std::to_string(bits));
    const QuantizedWeights quantized =
        quantize_weights(plan_of(quantizer, bits, weights), weights, channels);
    ASSERT_EQ(quantized.stored.size(), weights.size());
    ASSERT_EQ(quantized.step.size(), std::size_t{channels});
    EXPECT_LE(quantized.bits, 8);
    for (int o = 0; o < channels; ++o) {
      const std::set<std::int16_t> levels(quantized.stored.begin() + o * 500,
                                          quantized.stored.begin() + (o + 1) * 500);
      EXPECT_LE(levels.size(), std::size_t{1} << bits);
      if (bits < 5) {
        EXPECT_GT(levels.size(), std::size_t{1} << (bits - 1));
      }
      EXPECT_GE(*levels.begin(), -(1 << (quantized.bits - 1)));
      EXPECT_LE(*levels.rbegin(), (1 << (quantized.bits - 1)) - 1);
    }
  }
}

// Each stored weight is the nearest level of what the quantizer rounds.
TEST(WeightQuantizer, RoundsToTheNearestLevel) {
  const std::vector<float> weights = bell_shaped(2, channels * 60);
  const Moments of = moments(weights);
  float largest = 0;
  for (const float weight : weights) largest = std::max(largest, std::abs(std::tanh(weight)));
  for (const auto& [quantizer, bits] : all()) {
    SCOPED_TRACE(to_string(quantizer) + " " + std::to_string(bits));
    const WeightPlan plan = plan_of(quantizer, bits, weights);
    const QuantizedWeights quantized = quantize_weights(plan, weights, channels);
    const std::vector<double> found = values(quantized);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const std::size_t o = i / 60;
      double rounded = static_cast<double>(weights[i]);
      double range = quantized.step[o];
      std::vector<double> levels;
      switch (quantizer) {
        case WeightQuantizer::lsq:
          for (int l = -(1 << (bits - 1)); l < 1 << (bits - 1); ++l) levels.push_back(l);
          break;
        case WeightQuantizer::pact:
          range = sawb_range(weights, bits);
          levels = bits == 8 ? uniform_levels(8) : zero_free_levels(bits);
          break;
        case WeightQuantizer::dorefa:
          rounded = static_cast<double>(std::tanh(weights[i]) / largest);
          range = 1;
          levels = bits == 8 ? uniform_levels(8) : zero_free_levels(bits);
          break;
        case WeightQuantizer::pot:
          levels = power_of_two_levels(bits);
          break;
        case WeightQuantizer::post:
          levels = power_of_root_two_levels(default_magnitudes(bits));
          break;
        case WeightQuantizer::apot:
          rounded = (rounded - of.mean) / of.deviation;
          range = 3;
          levels = additive_power_of_two_levels(bits);
          break;
        case WeightQuantizer::lqnet: {
          const std::size_t n = static_cast<std::size_t>(bits);
          const auto first = plan.parameters.begin() + static_cast<std::ptrdiff_t>(o * n);
          const IntegerBasis basis = integer_basis({first, first + bits});
          for (const int sum : basis_sums(basis)) levels.push_back(sum);
          range = basis.unit;
          break;
        }
      }
      double least = 1e30;
      for (const double level : levels) {
        least = std::min(least, std::abs(range * level - rounded));
      }
      EXPECT_NEAR(std::abs(found[i] - rounded), least, 1e-6 * range);
    }
  }
}

TEST(WeightQuantizer, RangesOfTheExponentQuantizersAreQuantiles) {
  std::vector<float> weights;
  for (int i = 0; i <= 200; ++i) weights.push_back(static_cast<float>(i % 2 == 0 ? i : -i));
  const QuantizedWeights quantized =
      quantize_weights({WeightQuantizer::post, 4, 0, {}}, weights, 1);
  EXPECT_DOUBLE_EQ(quantized.step[0], 198);
  EXPECT_EQ(quantized.stored[200], 1);
  EXPECT_EQ(quantized.stored[0], 0);
  EXPECT_EQ(quantized.stored[99], -3);  // 99 = 198/2
  EXPECT_EQ(quantized.stored[140], 2);  // 198/√2 = 140.007
}

TEST(WeightQuantizer, PostTakesItsNumberOfMagnitudes) {
  const std::vector<float> weights = bell_shaped(3, channels * 300);
  for (const int magnitudes : {1, 3, 7, 12, 127}) {
    const QuantizedWeights quantized =
        quantize_weights({WeightQuantizer::post, 4, magnitudes, {}}, weights, channels);
    EXPECT_EQ(quantized.code.magnitudes, magnitudes);
    int largest = 0;
    for (const int code : quantized.stored) largest = std::max(largest, std::abs(code));
    EXPECT_LE(largest, magnitudes);
    EXPECT_GE(largest, std::min(magnitudes, 12)) << "of 300 weights a channel some are that small";
    EXPECT_GE((1 << (quantized.bits - 1)) - 1, magnitudes);
    EXPECT_TRUE(quantized.bits == 2 || (1 << (quantized.bits - 2)) - 1 < magnitudes);
  }
  EXPECT_EQ(quantize_weights({WeightQuantizer::post, 5, 0, {}}, weights, channels).code.magnitudes,
            15);
}

// The best symmetric uniform quantizers of a normal distribution (Max, IRE Trans. Information Theory,
// 1960, Table II): steps 0.9957, 0.5860 and 0.3352 of 4, 8 and 16 levels, times half of n − 1.
TEST(WeightQuantizer, SawbsRangeIsNearTheBestOfANormalDistribution) {
  const std::vector<float> weights = bell_shaped(4, 200000);
  for (const auto& [bits, best] :
       {std::pair<int, double>{2, 1.5 * 0.9957}, {3, 3.5 * 0.5860}, {4, 7.5 * 0.3352}}) {
    EXPECT_NEAR(sawb_range(weights, bits) / 0.2, best, 0.03 * best) << bits;
  }
  EXPECT_EQ(sawb_range({0.5F, -0.5F, 0.5F}, 4), 0.5);  // the fit is negative here
  EXPECT_EQ(sawb_range({0, 0}, 4), 1);
}

TEST(WeightQuantizer, LsqStartsAtTwiceTheMeanMagnitude) {
  const std::vector<double> start =
      initial_parameters({WeightQuantizer::lsq, 3, 0, {}}, {1, -3, 0, 0}, 2);
  ASSERT_EQ(start.size(), 2U);
  EXPECT_DOUBLE_EQ(start[0], 4 / std::sqrt(3.0));
  EXPECT_DOUBLE_EQ(start[1], 1);  // of zeros
}

TEST(WeightQuantizer, ChannelsOfZerosStayZeros) {
  const std::vector<float> zeros(channels * 4, 0.0F);
  for (const auto& [quantizer, bits] : all()) {
    SCOPED_TRACE(to_string(quantizer) + " " + std::to_string(bits));
    const QuantizedWeights quantized =
        quantize_weights(plan_of(quantizer, bits, zeros), zeros, channels);
    for (const double value : values(quantized)) {
      EXPECT_TRUE(std::isfinite(value));
      // The levels of these have no 0.
      const bool zero_free =
          bits < 8 && (quantizer == WeightQuantizer::pact || quantizer == WeightQuantizer::dorefa);
      if (!zero_free) {
        EXPECT_EQ(value, 0);
      }
    }
  }
}

TEST(WeightQuantizer, RefusesWhatItCannotHave) {
  const std::vector<float> weights = bell_shaped(5, channels * 10);
  const auto error = [&](const WeightPlan& plan, int output_channels) -> std::string {
    try {
      quantize_weights(plan, weights, output_channels);
    } catch (const std::invalid_argument& refusal) {
      return refusal.what();
    }
    return "accepted";
  };
  EXPECT_THAT(error({WeightQuantizer::post, 9, 0, {}}, channels),
              AllOf(HasSubstr("post: width is 9"), HasSubstr("2 to 8")));
  EXPECT_THAT(error({WeightQuantizer::pact, 6, 0, {}}, channels), HasSubstr("2, 3, 4, 5 or 8"));
  EXPECT_THAT(error({WeightQuantizer::apot, 7, 0, {3}}, channels), HasSubstr("2 to 6"));
  EXPECT_THAT(error({WeightQuantizer::post, 4, 128, {}}, channels), HasSubstr("1 to 127"));
  EXPECT_THAT(error({WeightQuantizer::pot, 4, 5, {}}, channels), HasSubstr("but with post"));
  EXPECT_THAT(error({WeightQuantizer::lsq, 4, 0, {1}}, channels), HasSubstr("found 1 parameters"));
  EXPECT_THAT(error({WeightQuantizer::apot, 4, 0, {0}}, channels), HasSubstr("above 0"));
  EXPECT_THAT(error({WeightQuantizer::lqnet, 4, 0, {1, 2}}, channels), HasSubstr("expected 24"));
  EXPECT_THAT(error({WeightQuantizer::post, 4, 0, {}}, 7), HasSubstr("multiple of the 7"));
}

TEST(LqNet, FindsTheBasisThatMadeTheWeights) {
  const std::vector<double> basis = {0.11, 0.25, 0.6};
  std::vector<float> weights;
  for (int repeat = 0; repeat < 5; ++repeat) {
    for (unsigned signs = 0; signs < 8; ++signs) {
      double sum = 0;
      for (unsigned i = 0; i < 3; ++i) sum += (signs >> i & 1U) ? basis[i] : -basis[i];
      weights.push_back(static_cast<float>(sum));
    }
  }
  const std::vector<double> found =
      fit_basis(weights.data(), weights.size(), {0.112, 0.245, 0.62}, 10);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(found[i], basis[i], 1e-6);
}

TEST(LqNet, FittingNeverMakesTheErrorLarger) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const std::vector<float> weights = bell_shaped(seed, 144);
    const int bits = 2 + static_cast<int>(seed % 3);
    std::vector<double> basis = uniform_basis(weights.data(), weights.size(), bits);
    const auto squared_error = [&] {
      std::vector<double> levels;
      for (unsigned signs = 0; signs < (1U << bits); ++signs) {
        double sum = 0;
        for (int i = 0; i < bits; ++i) {
          const double value = basis[static_cast<std::size_t>(i)];
          sum += (signs >> i & 1U) ? value : -value;
        }
        levels.push_back(sum);
      }
      std::sort(levels.begin(), levels.end());
      double error = 0;
      for (const float weight : weights) {
        const double value = static_cast<double>(weight);
        const double difference = value - levels[nearest_level(levels, value)];
        error += difference * difference;
      }
      return error;
    };
    double before = squared_error();
    const double first = before;
    for (int round = 0; round < 10; ++round) {
      basis = fit_basis(weights.data(), weights.size(), basis, 1);
      const double after = squared_error();
      EXPECT_LE(after, before * (1 + 1e-12));
      before = after;
    }
    EXPECT_LT(before, first);
  }
}

TEST(LqNet, IntegerBasisFitsEightBitsAndIsNearTheRealOne) {
  std::mt19937 random(6);
  std::uniform_real_distribution<double> value(-1, 1);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> basis;
    for (int i = 0; i < 2 + trial % 7; ++i) basis.push_back(value(random));
    const IntegerBasis integers = integer_basis(basis);
    const std::vector<int> sums = basis_sums(integers);
    EXPECT_GE(sums.front(), -127);
    EXPECT_LE(sums.back(), 127);
    EXPECT_GT(sums.back(), 115);
    for (std::size_t i = 0; i < basis.size(); ++i) {
      EXPECT_NEAR(integers.integers[i] * integers.unit, basis[i], 0.501 * integers.unit);
    }
  }
  EXPECT_THAT(basis_sums(integer_basis({0, 0})), ElementsAre(0));
  // 3 : 1 without rounding.
  EXPECT_THAT(basis_sums({{1, 3}, 1}), ElementsAre(-4, -2, 2, 4));
}

TEST(WeightQuantizer, ValuesOfCodes) {
  EXPECT_EQ(WeightCode{}.value(-5), -5);
  const WeightCode powers{hw::TapKind::shifted, 7, {}, {}};
  EXPECT_EQ(powers.value(0), 0);
  EXPECT_EQ(powers.value(1), 1);
  EXPECT_EQ(powers.value(-4), -0.125);
  const WeightCode roots{hw::TapKind::half_shifted, 7, {}, {}};
  EXPECT_EQ(roots.value(0), 0);
  EXPECT_EQ(roots.value(-3), -0.5);
  EXPECT_DOUBLE_EQ(roots.value(2), std::sqrt(0.5));
  const WeightCode sums{hw::TapKind::twice_shifted, 7, {-1, 1, 2, 4}, {-1, 3}};
  EXPECT_EQ(sums.value(0), 0);
  EXPECT_EQ(sums.value(3), 0.0625);
  EXPECT_EQ(sums.value(4), 0.125);
  EXPECT_EQ(sums.value(-6), -0.375);  // low bits 2: 1/4, high bit: 1/8
}

// Of two terms the package has the terms, of three the sum as an integer.
TEST(WeightQuantizer, SumsOfPowersAreStoredAsTheirTermsUpToFiveBits) {
  const std::vector<float> weights = bell_shaped(8, channels * 100);
  for (int bits = 2; bits <= 6; ++bits) {
    const QuantizedWeights quantized =
        quantize_weights({WeightQuantizer::apot, bits, 0, {3}}, weights, channels);
    if (bits == 6) {
      EXPECT_EQ(quantized.code.exponents, std::nullopt);
      EXPECT_EQ(quantized.bits, 8);
      continue;
    }
    EXPECT_EQ(quantized.code.exponents, hw::TapKind::twice_shifted);
    EXPECT_EQ(quantized.bits, bits);
    EXPECT_EQ(quantized.code.first_exponents.size() * quantized.code.second_exponents.size(),
              std::size_t{1} << (bits - 1));
  }
}

}  // namespace
}  // namespace abacus::quant
