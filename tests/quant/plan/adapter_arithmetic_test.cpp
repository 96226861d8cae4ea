#include "sw/quant/plan/adapter_arithmetic.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <vector>

namespace abacus::quant {
namespace {

network::StoredTensor tensor(int channels, int side, int bits, bool is_signed, double scale) {
  network::StoredTensor made;
  made.shape = {channels, side, side};
  made.bits = bits;
  made.is_signed = is_signed;
  made.scale = scale;
  return made;
}

// The integers' beta is the real one's, to a hundredth, for adapters as training starts them and for
// others; whatever the tensor's width and sign.
TEST(AdapterArithmetic, IsNearTheRealAdapter) {
  std::mt19937_64 random(4);
  for (int trial = 0; trial < 200; ++trial) {
    const int channels = std::uniform_int_distribution<int>(1, 80)(random);
    const int side = std::uniform_int_distribution<int>(1, 20)(random);
    const int bits = std::uniform_int_distribution<int>(2, 16)(random);
    const bool is_signed = trial % 5 == 0;
    const double scale = std::uniform_real_distribution<double>(0.5, 4)(random) / (1 << bits);
    const network::StoredTensor input = tensor(channels, side, bits, is_signed, scale);
    AdapterParameters adapter = initial_adapter(channels, static_cast<std::uint64_t>(trial));
    if (trial % 2 == 1) {
      for (double& parameter : adapter.parameters) {
        parameter *= std::uniform_real_distribution<double>(0.3, 6)(random);
      }
    }
    const network::AdapterNetwork integers = integer_adapter(adapter, input);
    for (int image = 0; image < 5; ++image) {
      std::vector<std::int64_t> sums;
      std::vector<double> means;
      for (int c = 0; c < channels; ++c) {
        std::int64_t sum = 0;
        // The first two images have nothing but the largest and the smallest integers.
        const int low = image == 0 ? input.highest() : input.lowest();
        const int high = image == 1 ? input.lowest() : input.highest();
        for (int i = 0; i < side * side; ++i) {
          sum += std::uniform_int_distribution<int>(low, high)(random);
        }
        sums.push_back(sum);
        means.push_back(static_cast<double>(sum) / (side * side) * scale);
      }
      const double expected = step_factor(adapter, means.data());
      const double found =
          std::ldexp(integer_step_factor(integers, sums), -network::step_factor_bits);
      EXPECT_NEAR(found, expected, 0.01 * (1 + expected)) << "trial " << trial;
    }
  }
}

// One channel, one layer, by hand: a mean of 100 integers of 0.01 is 1, and beta 0.5*1 + 0.25.
TEST(AdapterArithmetic, OfAKnownAdapter) {
  AdapterParameters adapter;
  adapter.channels = 1;
  adapter.parameters = {0.5, 0.25};
  const network::AdapterNetwork integers = integer_adapter(adapter, tensor(1, 2, 8, false, 0.01));
  EXPECT_NEAR(integer_step_factor(integers, {400}), 0.75 * 4096, 0.003 * 4096);
  EXPECT_NEAR(integer_step_factor(integers, {0}), 0.25 * 4096, 0.003 * 4096);
}

TEST(AdapterArithmetic, StaysWithinItsFieldsWhateverTheSums) {
  AdapterParameters adapter;
  adapter.channels = 1;
  adapter.parameters = {-10, 1};
  const network::AdapterNetwork falling = integer_adapter(adapter, tensor(1, 4, 8, false, 0.1));
  EXPECT_EQ(integer_step_factor(falling, {16 * 255}), 256);
  adapter.parameters = {10, 1};
  const network::AdapterNetwork rising = integer_adapter(adapter, tensor(1, 4, 8, false, 0.1));
  EXPECT_EQ(integer_step_factor(rising, {16 * 255}), 32768);
}

// Means of any width's extreme integers fit, and still have nearly all the bits there are.
TEST(AdapterArithmetic, MeansOfExtremeIntegersFit) {
  AdapterParameters adapter;
  adapter.channels = 1;
  adapter.parameters = std::vector<double>(2, 0.5);
  for (int bits = 2; bits <= 16; ++bits) {
    for (const bool is_signed : {false, true}) {
      for (const int side : {1, 3, 7, 8, 181}) {
        const network::StoredTensor input =
            tensor(1, side, bits, is_signed, std::ldexp(1.0, -bits));
        const network::AdapterNetwork made = integer_adapter(adapter, input);
        std::int64_t largest = 0;
        for (const int value : {input.lowest(), input.highest()}) {
          const std::int64_t product = std::int64_t{value} * side * side * made.pool_multiplier;
          const std::int64_t mean = static_cast<std::int64_t>(
              std::floor(std::ldexp(static_cast<double>(product), -made.pool_shift) + 0.5));
          EXPECT_GE(mean, -32768) << bits << ' ' << side;
          EXPECT_LE(mean, 32767) << bits << ' ' << side;
          largest = std::max(largest, std::abs(mean));
        }
        EXPECT_GE(largest, 32767 / 2) << bits << ' ' << side;
      }
    }
  }
}

TEST(AdapterArithmetic, NothingSaturatesWithinTheTrainingsRange) {
  std::mt19937_64 random(5);
  for (int trial = 0; trial < 300; ++trial) {
    const double ratio = std::exp(std::uniform_real_distribution<double>(-8, 3)(random));
    const network::ReadQuantizer quantizer = adaptable_read_quantizer(ratio);
    EXPECT_NEAR(quantizer.multiplier * std::ldexp(1.0, -quantizer.shift), ratio, ratio / 2047);
    const double beta = std::uniform_real_distribution<double>(AdapterParameters::smallest,
                                                               AdapterParameters::largest)(random);
    const int factor = static_cast<int>(std::lround(beta * 4096));
    const network::ReadQuantizer found = adapted(quantizer, factor);
    EXPECT_EQ(found.shift, quantizer.shift);
    EXPECT_NEAR(found.multiplier, quantizer.multiplier / beta, 1 + 0.002 * found.multiplier);
    EXPECT_LT(found.multiplier, 65535);
    const int multiplier = std::uniform_int_distribution<int>(-adapted_scale_multiplier,
                                                              adapted_scale_multiplier)(random);
    const int scaled = adapted(multiplier, factor);
    EXPECT_NEAR(scaled, multiplier * beta, 1 + 0.002 * std::abs(multiplier));
    EXPECT_LT(std::abs(scaled), 32767);
  }
  EXPECT_EQ(adapted(network::ReadQuantizer{4095, 7}, network::smallest_step_factor).multiplier,
            4095 * 16);
  EXPECT_EQ(adapted(4095, network::largest_step_factor), 4095 * 8);
  EXPECT_EQ(adapted(-4095, network::largest_step_factor), -4095 * 8);
}

TEST(AdapterArithmetic, RefusesWhatDoesNotFit) {
  const AdapterParameters adapter = initial_adapter(8, 1);
  EXPECT_THROW(integer_adapter(adapter, tensor(9, 4, 8, false, 0.1)), std::invalid_argument);
  AdapterParameters huge = adapter;
  huge.parameters[huge.parameters.size() - 2] = 1e9;
  EXPECT_THROW(integer_adapter(huge, tensor(8, 4, 8, false, 0.1)), std::range_error);
  EXPECT_THROW(adaptable_read_quantizer(1e9), std::range_error);
  EXPECT_THROW(adaptable_read_quantizer(1e-12), std::range_error);
}

}  // namespace
}  // namespace abacus::quant
