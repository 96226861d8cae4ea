#include "sw/quant/weights/clustering.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <stdexcept>
#include <vector>

namespace abacus::quant {
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

TEST(ClusterPoints, FindsClustersThatLieApart) {
  const std::vector<std::vector<double>> points = {{0, 0}, {9, 9}, {0, 1}, {9, 8}, {-9, 9}, {1, 0}};
  EXPECT_EQ(cluster_points(points, 3), (std::vector<int>{0, 1, 0, 1, 2, 0}));
  EXPECT_EQ(cluster_points(points, 1), std::vector<int>(6, 0));
}

// A local minimum of the cost: no point is nearer to another cluster's mean than to its own.
TEST(ClusterPoints, LeavesNoPointInTheWrongCluster) {
  std::mt19937 random(12);
  std::normal_distribution<double> normal;
  std::vector<std::vector<double>> points(60, std::vector<double>(7));
  for (auto& point : points) {
    for (double& value : point) value = normal(random);
  }
  const std::vector<int> cluster = cluster_points(points, 4);
  std::vector<std::vector<double>> mean(4, std::vector<double>(7, 0.0));
  std::vector<double> count(4, 0.0);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t c = static_cast<std::size_t>(cluster[i]);
    count[c] += 1;
    for (std::size_t k = 0; k < 7; ++k) mean[c][k] += points[i][k];
  }
  const auto distance = [&](std::size_t i, std::size_t c) {
    double sum = 0;
    for (std::size_t k = 0; k < 7; ++k) sum += std::pow(points[i][k] - mean[c][k] / count[c], 2);
    return sum;
  };
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t c = 0; c < 4; ++c) {
      ASSERT_GT(count[c], 0);
      EXPECT_LE(distance(i, static_cast<std::size_t>(cluster[i])), distance(i, c) + 1e-9);
    }
  }
  EXPECT_EQ(cluster_points(points, 4), cluster);
}

TEST(ClusterPoints, SharesAClusterAmongEqualPointsAndRefusesNonsense) {
  EXPECT_EQ(cluster_points({{1, 2}, {1, 2}, {1, 2}}, 2), std::vector<int>(3, 0));
  EXPECT_THROW(cluster_points({}, 2), std::invalid_argument);
  EXPECT_THROW(cluster_points({{1}}, 0), std::invalid_argument);
  EXPECT_THROW(cluster_points({{1}, {1, 2}}, 1), std::invalid_argument);
}

}  // namespace
}  // namespace abacus::quant
