// Grouping of output channels for AdderQuant's group-shared scales.
#pragma once

#include <vector>

namespace abacus {

// Splits values on a line into at most `clusters` clusters of least Σ (v − μ_cluster)² (AdderQuant,
// eq. 15), exactly, by dynamic programming over the sorted values: on a line, every best cluster is
// an interval. Returns the cluster of each value, 0 for the smallest values and rising; equal values
// share one, so there are fewer clusters where there are fewer distinct values. Throws
// std::invalid_argument for no values or fewer than one cluster.
std::vector<int> cluster_on_line(const std::vector<double>& values, int clusters);

// Σ (v − μ_cluster)² of such a split.
double within_cluster_sum(const std::vector<double>& values, const std::vector<int>& cluster);

}  // namespace abacus
