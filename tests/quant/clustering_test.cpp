#include "sw/quant/clustering.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <set>
#include <stdexcept>

namespace abacus {
namespace {

// Tries every assignment.
double least_sum(const std::vector<double>& values, int clusters) {
  double least = std::numeric_limits<double>::infinity();
  std::vector<int> assignment(values.size(), 0);
  while (true) {
    least = std::min(least, within_cluster_sum(values, assignment));
    std::size_t digit = 0;
    while (digit < assignment.size() && ++assignment[digit] == clusters) assignment[digit++] = 0;
    if (digit == assignment.size()) return least;
  }
}

TEST(Clustering, IsAsGoodAsTheBestOfAllAssignments) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(0, 10);
  for (int trial = 0; trial < 40; ++trial) {
    const int clusters = 1 + trial % 4;
    std::vector<double> values(static_cast<std::size_t>(2 + trial % 7));
    for (double& value : values) value = uniform(random);
    const std::vector<int> found = cluster_on_line(values, clusters);
    EXPECT_NEAR(within_cluster_sum(values, found), least_sum(values, clusters), 1e-9)
        << "trial " << trial;
  }
}

TEST(Clustering, NumbersClustersFromTheSmallestValues) {
  EXPECT_EQ(cluster_on_line({9, 1, 5, 1.1, 9.2, 5.1}, 3), (std::vector<int>{2, 0, 1, 0, 2, 1}));
}

TEST(Clustering, KeepsEqualValuesTogether) {
  EXPECT_EQ(cluster_on_line({2, 2, 2, 2}, 4), (std::vector<int>{0, 0, 0, 0}));
  EXPECT_EQ(cluster_on_line({3, 2, 3, 2}, 4), (std::vector<int>{1, 0, 1, 0}));
}

TEST(Clustering, UsesAllClustersWhereValuesDiffer) {
  std::vector<double> values;
  for (int i = 0; i < 64; ++i) values.push_back(1e6 + 0.001 * i * i);
  const std::vector<int> found = cluster_on_line(values, 4);
  EXPECT_EQ(std::set<int>(found.begin(), found.end()).size(), 4U);
  EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
}

TEST(Clustering, RefusesNothingToDo) {
  EXPECT_THROW(cluster_on_line({}, 1), std::invalid_argument);
  EXPECT_THROW(cluster_on_line({1}, 0), std::invalid_argument);
}

}  // namespace
}  // namespace abacus
