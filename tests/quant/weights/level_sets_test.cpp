#include "sw/quant/weights/level_sets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

namespace abacus::quant {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

// The levels above 0, the smallest first.
std::vector<double> positive(const std::vector<double>& levels) {
  std::vector<double> result;
  for (const double level : levels) {
    if (level > 0) result.push_back(level);
  }
  return result;
}

void expect_symmetric(const std::vector<double>& levels) {
  for (std::size_t i = 0; i < levels.size(); ++i) {
    EXPECT_EQ(levels[i], -levels[levels.size() - 1 - i]);
    if (i > 0) {
      EXPECT_LT(levels[i - 1], levels[i]);
    }
  }
  EXPECT_EQ(levels.back(), 1.0);
}

TEST(LevelSets, AreSymmetricAndAsManyAsTheWidthHolds) {
  for (int bits = 2; bits <= 8; ++bits) {
    const std::size_t with_zero = (std::size_t{1} << bits) - 1;
    expect_symmetric(uniform_levels(bits));
    expect_symmetric(zero_free_levels(bits));
    expect_symmetric(power_of_two_levels(bits));
    expect_symmetric(power_of_root_two_levels(default_magnitudes(bits)));
    expect_symmetric(additive_power_of_two_levels(bits));
    EXPECT_EQ(uniform_levels(bits).size(), with_zero);
    EXPECT_EQ(zero_free_levels(bits).size(), with_zero + 1);
    EXPECT_EQ(power_of_two_levels(bits).size(), with_zero);
    EXPECT_EQ(power_of_root_two_levels(default_magnitudes(bits)).size(), with_zero);
    EXPECT_EQ(additive_power_of_two_levels(bits).size(), with_zero);
  }
}

// ASQ's Figure 3: 4 bits.
TEST(LevelSets, FourBitsOfFigure3) {
  EXPECT_THAT(positive(uniform_levels(4)),
              ElementsAre(1 / 7.0, 2 / 7.0, 3 / 7.0, 4 / 7.0, 5 / 7.0, 6 / 7.0, 1.0));
  EXPECT_THAT(positive(power_of_two_levels(4)),
              ElementsAre(0.015625, 0.03125, 0.0625, 0.125, 0.25, 0.5, 1.0));
  std::vector<::testing::Matcher<double>> expected;
  for (const double level : {0.125, 0.17677670, 0.25, 0.35355339, 0.5, 0.70710678, 1.0}) {
    expected.push_back(DoubleNear(level, 1e-8));
  }
  EXPECT_THAT(positive(power_of_root_two_levels(7)), ElementsAreArray(expected));
}

TEST(LevelSets, TwosComplementHasOneMoreLevelBelowZero) {
  EXPECT_THAT(twos_complement_levels(2), ElementsAre(-2.0, -1.0, 0.0, 1.0));
  for (int bits = 2; bits <= 8; ++bits) {
    std::vector<double> levels = twos_complement_levels(bits);
    EXPECT_LT(levels.front(), -1);
    levels.erase(levels.begin());
    EXPECT_EQ(levels, uniform_levels(bits));
  }
}

TEST(LevelSets, DoReFasLevelsOfTwoBits) {
  EXPECT_THAT(zero_free_levels(2), ElementsAre(-1.0, -1 / 3.0, 1 / 3.0, 1.0));
}

// The authors' magnitudes of 2, 3 and 4 bits beside the sign.
TEST(LevelSets, AdditivePowersOfTwoAreTheAuthors) {
  EXPECT_THAT(positive(additive_power_of_two_levels(2)), ElementsAre(1.0));
  EXPECT_THAT(positive(additive_power_of_two_levels(3)), ElementsAre(0.25, 0.5, 1.0));
  EXPECT_THAT(additive_terms(4), ElementsAre(ElementsAre(1, 2, 4), ElementsAre(3)));
  EXPECT_THAT(positive(additive_power_of_two_levels(4)),
              ElementsAre(0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0));
  EXPECT_THAT(additive_terms(5), ElementsAre(ElementsAre(1, 3, 5), ElementsAre(2, 4, 6)));
  EXPECT_THAT(additive_terms(6),
              ElementsAre(ElementsAre(1, 3, 6), ElementsAre(2, 4, 7), ElementsAre(5)));
  const std::vector<double> five = positive(additive_power_of_two_levels(5));
  std::vector<double> expected;  // of 48 units of 2⁻⁶
  for (const int a : {0, 2, 8, 32}) {
    for (const int b : {0, 1, 4, 16}) {
      if (a + b > 0) expected.push_back((a + b) / 48.0);
    }
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_THAT(five, ElementsAreArray(expected));
}

TEST(LevelSets, NearestLevelIsNoFartherThanAnyOther) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> values(-1.5, 1.5);
  for (const std::vector<double>& levels :
       {uniform_levels(3), zero_free_levels(3), power_of_two_levels(4), power_of_root_two_levels(5),
        additive_power_of_two_levels(5)}) {
    for (int trial = 0; trial < 500; ++trial) {
      const double value = values(random);
      const double found = std::abs(levels.at(nearest_level(levels, value)) - value);
      for (const double level : levels) EXPECT_LE(found, std::abs(level - value));
    }
    for (std::size_t i = 0; i < levels.size(); ++i) EXPECT_EQ(nearest_level(levels, levels[i]), i);
  }
  EXPECT_EQ(nearest_level({0, 1, 2}, 0.5), 1U);  // half goes up
  EXPECT_EQ(nearest_level({-1, 0}, -0.5), 1U);
}

TEST(LevelSets, RefuseWidthsAndCountsThatThereAreNone) {
  for (const int bits : {-1, 0, 1, 9}) {
    EXPECT_THROW(uniform_levels(bits), std::invalid_argument);
    EXPECT_THROW(zero_free_levels(bits), std::invalid_argument);
    EXPECT_THROW(power_of_two_levels(bits), std::invalid_argument);
    EXPECT_THROW(additive_power_of_two_levels(bits), std::invalid_argument);
    EXPECT_THROW(default_magnitudes(bits), std::invalid_argument);
  }
  EXPECT_THROW(power_of_root_two_levels(0), std::invalid_argument);
  EXPECT_THROW(power_of_root_two_levels(128), std::invalid_argument);
}

}  // namespace
}  // namespace abacus::quant
