#include "sw/quant/plan/exponent_taps.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

namespace abacus::quant {
namespace {

WeightCode code_of(std::optional<hw::TapKind> exponents, int magnitudes) {
  WeightCode code;
  code.exponents = exponents;
  code.magnitudes = magnitudes;
  return code;
}

TEST(ExponentTaps, FractionBitsOfPostFollowItsLongestShift) {
  const auto usual = [](int magnitudes) {
    return fraction_bits(code_of(hw::TapKind::half_shifted, magnitudes), std::nullopt);
  };
  // 2, 3, 4, 5, 6 and 8 bits.
  EXPECT_EQ(usual(1), 3);
  EXPECT_EQ(usual(3), 3);
  EXPECT_EQ(usual(7), 3);
  EXPECT_EQ(usual(15), 7);
  EXPECT_EQ(usual(31), 8);
  EXPECT_EQ(usual(127), 8);
  for (const int asked : {2, 5, 8}) {
    EXPECT_EQ(fraction_bits(code_of(hw::TapKind::half_shifted, 7), asked), asked);
  }
}

TEST(ExponentTaps, FractionBitsOfPowersOfTwoAreThoseThatTheyNeedAtMost) {
  EXPECT_EQ(fraction_bits(code_of(hw::TapKind::shifted, 7), std::nullopt), 6);
  EXPECT_EQ(fraction_bits(code_of(hw::TapKind::shifted, 15), std::nullopt), 8);
  EXPECT_EQ(fraction_bits(code_of(hw::TapKind::shifted, 15), 12), 12);
  EXPECT_EQ(fraction_bits(code_of(hw::TapKind::shifted, 7), 4), 4);
  EXPECT_EQ(fraction_bits(code_of(std::nullopt, 7), 4), 0);
}

TEST(ExponentTaps, WithItsUsualFractionBitsPostShiftsExactlyAndRoundsByHalfAUnit) {
  for (const int magnitudes : {1, 3, 7, 15}) {
    const WeightCode code = code_of(hw::TapKind::half_shifted, magnitudes);
    const int fraction = fraction_bits(code, std::nullopt);
    for (int number = 1; number <= magnitudes; ++number) {
      for (const int activation : {1, 3, 7, 15, 200, 255}) {
        const double exact = std::ldexp(activation, fraction) * std::pow(2.0, -(number - 1) / 2.0);
        const double tap = exponent_tap(code, fraction, activation, number);
        EXPECT_LE(std::abs(tap - exact), number % 2 == 1 ? 1e-9 : 0.5)
            << magnitudes << " magnitudes, " << activation << " times number " << number;
        EXPECT_EQ(exponent_tap(code, fraction, activation, -number), -tap);
      }
    }
  }
}

}  // namespace
}  // namespace abacus::quant
