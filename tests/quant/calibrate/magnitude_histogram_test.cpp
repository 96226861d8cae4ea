#include "sw/quant/calibrate/magnitude_histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>

namespace abacus::quant {
namespace {

std::vector<float> normal_values(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

TEST(MagnitudeQuantile, IsTheSortedMagnitudeOfThatRank) {
  const std::vector<float> values = normal_values(5001, 1);
  std::vector<float> sorted;
  for (const float value : values) sorted.push_back(std::abs(value));
  std::sort(sorted.begin(), sorted.end());
  for (const double alpha : {1e-9, 0.25, 0.5, 0.999, 0.9999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(alpha * 5000));
    EXPECT_EQ(magnitude_quantile(values.data(), 5001, alpha), sorted[rank]) << alpha;
  }
}

TEST(MagnitudeQuantile, CountsEqualValuesEach) {
  const std::vector<float> values = {0, 0, 0, -3, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(magnitude_quantile(values.data(), 11, 0.9), 0.0F);
  EXPECT_EQ(magnitude_quantile(values.data(), 11, 0.91), 3.0F);
}

TEST(MagnitudeQuantile, RefusesBadArguments) {
  const float value = 1;
  EXPECT_THROW(magnitude_quantile(&value, 0, 0.5), std::invalid_argument);
  EXPECT_THROW(magnitude_quantile(&value, 1, 0), std::invalid_argument);
  EXPECT_THROW(magnitude_quantile(&value, 1, 1.01), std::invalid_argument);
}

double squared_error(const std::vector<float>& values, double range, int levels) {
  double error = 0;
  for (const float value : values) {
    const double magnitude = std::abs(static_cast<double>(value));
    const double level = std::min<double>(levels, std::round(magnitude * levels / range));
    error += std::pow(magnitude - level * range / levels, 2);
  }
  return error;
}

TEST(MagnitudeHistogram, FindsARangeAboutAsGoodAsAnyOther) {
  const std::vector<float> values = normal_values(20000, 2);
  MagnitudeHistogram histogram;
  histogram.add(values.data(), 12000);
  histogram.add(values.data() + 12000, 8000);
  EXPECT_EQ(histogram.count(), 20000);
  for (const int levels : {1, 3, 7, 15, 255}) {
    const double found = squared_error(values, histogram.best_range(levels), levels);
    for (double range = 0.1; range <= histogram.maximum(); range *= 1.01) {
      EXPECT_LE(found, squared_error(values, range, levels) * 1.02)
          << levels << " levels, range " << range;
    }
  }
}

TEST(MagnitudeHistogram, ClipsFewerValuesTheMoreLevelsThereAre) {
  const std::vector<float> values = normal_values(20000, 3);
  MagnitudeHistogram histogram;
  histogram.add(values.data(), 20000);
  EXPECT_LT(histogram.best_range(3), histogram.best_range(15));
  EXPECT_LT(histogram.best_range(15), histogram.best_range(255));
  EXPECT_LE(histogram.best_range(65535), histogram.maximum());
}

TEST(MagnitudeHistogram, SurvivesZeros) {
  const std::vector<float> values(10, 0.0F);
  MagnitudeHistogram histogram;
  EXPECT_EQ(histogram.best_range(255), 1);
  histogram.add(values.data(), 10);
  EXPECT_EQ(histogram.best_range(255), 1);
}

}  // namespace
}  // namespace abacus::quant
