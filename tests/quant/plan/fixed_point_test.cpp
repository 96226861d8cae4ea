#include "sw/quant/plan/fixed_point.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <stdexcept>

namespace abacus::quant {
namespace {

TEST(ReadQuantizer, IsExactForPowersOfTwo) {
  EXPECT_EQ(read_quantizer(1.0).multiplier, 1);
  EXPECT_EQ(read_quantizer(1.0).shift, 0);
  EXPECT_EQ(read_quantizer(0.125).multiplier, 1);
  EXPECT_EQ(read_quantizer(0.125).shift, 3);
  EXPECT_EQ(read_quantizer(4).multiplier, 4);
  EXPECT_EQ(read_quantizer(4).shift, 0);
}

TEST(ReadQuantizer, ComesWithinHalfOfItsLastBit) {
  for (double wanted = 0.9999999; wanted > 1e-4; wanted *= 0.83) {
    const network::ReadQuantizer quantizer = read_quantizer(wanted);
    EXPECT_GE(quantizer.multiplier, 1);
    EXPECT_LE(quantizer.multiplier, 65535);
    EXPECT_LE(quantizer.shift, 31);
    EXPECT_NEAR(ratio(quantizer), wanted, wanted / 65535);
  }
}

TEST(ReadQuantizer, RefusesRatiosOutOfItsFields) {
  EXPECT_THROW(read_quantizer(70000), std::range_error);
  EXPECT_THROW(read_quantizer(1e-10), std::range_error);
  EXPECT_THROW(read_quantizer(std::nan("")), std::range_error);
}

double output(const ScaleUnit& unit, std::size_t channel, double accumulator) {
  return std::ldexp(
      accumulator * unit.multipliers[channel] + static_cast<double>(unit.biases[channel]),
      -unit.shift);
}

TEST(ScaleUnit, ApproximatesTheAffineMapAndUsesItsBits) {
  std::mt19937 random(4);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (int trial = 0; trial < 50; ++trial) {
    const double size = std::exp2(-20.0 + trial / 2.0);  // up to 2^4.5
    std::vector<AffineChannel> channels(16);
    for (AffineChannel& channel : channels) {
      channel = {size * uniform(random), 20000 * uniform(random), 100 * uniform(random)};
    }
    channels[3].gain = size;  // the largest
    const ScaleUnit unit = scale_unit(channels, size / 3);
    for (std::size_t c = 0; c < channels.size(); ++c) {
      EXPECT_NEAR(output(unit, c, channels[c].center), channels[c].offset, std::exp2(-unit.shift))
          << "the center is exact but for the bias's own rounding";
      const double far = channels[c].center + 5000;
      EXPECT_NEAR(output(unit, c, far), channels[c].offset + channels[c].gain * 5000,
                  size * 5000 / 16384 + std::exp2(-unit.shift));
    }
    EXPECT_GT(unit.multipliers[3], 16000) << "half of the multiplier's range is not left unused";
    const double residual = std::ldexp(unit.residual_multiplier, unit.residual_shift - unit.shift);
    EXPECT_NEAR(residual, size / 3, size / 3 / 5000);
  }
}

TEST(ScaleUnit, LowersTheShiftForLargeBiases) {
  const ScaleUnit unit = scale_unit({{1e-9, 0, 1e6}}, 0);
  EXPECT_LE(std::abs(unit.biases[0]), std::int64_t{1} << 46);
  EXPECT_NEAR(output(unit, 0, 0), 1e6, 1e-3);
}

TEST(ScaleUnit, TakesALargeResidual) {
  const ScaleUnit unit = scale_unit({{1e-6, 0, 0}}, 40.0);
  EXPECT_LE(unit.residual_multiplier, 65535);
  EXPECT_LE(unit.residual_shift, 24);
  EXPECT_NEAR(std::ldexp(unit.residual_multiplier, unit.residual_shift - unit.shift), 40.0,
              40.0 / 30000);
}

TEST(ScaleUnit, RefusesWhatFitsNoField) {
  EXPECT_THROW(scale_unit({{40000, 0, 0}}, 0), std::range_error);
  EXPECT_THROW(scale_unit({{1, 0, 1e15}}, 0), std::range_error);
  EXPECT_THROW(scale_unit({{std::nan(""), 0, 0}}, 0), std::range_error);
  EXPECT_THROW(scale_unit({{1, 0, 0}}, 1e13), std::range_error);
}

TEST(PoolScale, KeepsAFactorOfOnePlain) {
  EXPECT_EQ(pool_scale(1).multiplier, 1);
  EXPECT_EQ(pool_scale(1).shift, 0);
  const PoolScale scale = pool_scale(1.7 / 49);
  EXPECT_LE(scale.multiplier, 32767);
  EXPECT_NEAR(std::ldexp(scale.multiplier, -scale.shift), 1.7 / 49, 1e-5);
}

TEST(AddScale, BringsBothOperandsToOneScale) {
  const AddScale scale = add_scale(0.3, 12.5);
  EXPECT_NEAR(std::ldexp(scale.multiplier, scale.left_shift - scale.shift), 0.3, 1e-5);
  EXPECT_NEAR(std::ldexp(scale.second_multiplier, scale.second_left_shift - scale.shift), 12.5,
              4e-4);
  EXPECT_THROW(add_scale(1e13, 1), std::range_error);
}

}  // namespace
}  // namespace abacus::quant
