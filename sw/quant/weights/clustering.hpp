// Grouping of output channels for AdderQuant's group-shared scales.
#pragma once

#include <vector>

namespace abacus::quant {

// Splits values on a line into at most `clusters` clusters of least Σ (v − μ_cluster)² (AdderQuant,
// eq. 15), exactly, by dynamic programming over the sorted values: on a line, every best cluster is
// an interval. Returns the cluster of each value, 0 for the smallest values and rising; equal values
// share one, so there are fewer clusters where there are fewer distinct values. Throws
// std::invalid_argument for no values or fewer than one cluster.
std::vector<int> cluster_on_line(const std::vector<double>& values, int clusters);

// Splits points of equally many coordinates into at most `clusters` clusters by Lloyd's k-means on
// the Euclidean distance, to a local minimum. The start is a function of the points alone: the point
// nearest to their mean, then again and again the one farthest from all chosen. Returns the cluster
// of each point; clusters are numbered by their first point, and equal points share one. Throws
// std::invalid_argument for no points, points of different lengths, or fewer than one cluster.
std::vector<int> cluster_points(const std::vector<std::vector<double>>& points, int clusters);

// Σ (v − μ_cluster)² of a split of values on a line.
double within_cluster_sum(const std::vector<double>& values, const std::vector<int>& cluster);

}  // namespace abacus::quant
