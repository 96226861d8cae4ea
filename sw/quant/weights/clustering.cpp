#include "sw/quant/weights/clustering.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>

namespace abacus::quant {
namespace {

// Sums over the distinct values in rising order, from which the cost of any interval follows.
class Intervals {
 public:
  explicit Intervals(const std::map<double, int>& counts)
      : center_(counts.empty() ? 0.0 : counts.begin()->first) {
    count_.push_back(0);
    sum_.push_back(0);
    squares_.push_back(0);
    for (const auto& [value, count] : counts) {
      const double v = value - center_;
      count_.push_back(count_.back() + count);
      sum_.push_back(sum_.back() + count * v);
      squares_.push_back(squares_.back() + count * v * v);
    }
  }

  // Σ (v − μ)² over the distinct values [first, last).
  double cost(std::size_t first, std::size_t last) const {
    if (last - first == 1) return 0;
    const double n = count_[last] - count_[first];
    const double sum = sum_[last] - sum_[first];
    return std::max(0.0, squares_[last] - squares_[first] - sum * sum / n);
  }

 private:
  double center_;  // subtracted from all values: keeps the squares small
  std::vector<double> count_, sum_, squares_;
};

using Point = std::vector<double>;

double squared_distance(const Point& a, const Point& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

// The lowest index where several are equally near.
std::size_t nearest(const Point& point, const std::vector<Point>& centers) {
  std::size_t best = 0;
  for (std::size_t c = 1; c < centers.size(); ++c) {
    if (squared_distance(point, centers[c]) < squared_distance(point, centers[best])) best = c;
  }
  return best;
}

Point mean_of(const std::vector<Point>& points, const std::vector<std::size_t>& members) {
  Point mean(points.front().size(), 0.0);
  for (const std::size_t m : members) {
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += points[m][i];
  }
  for (double& value : mean) value /= static_cast<double>(members.size());
  return mean;
}

std::vector<Point> farthest_points(const std::vector<Point>& points, int clusters) {
  std::vector<std::size_t> everyone(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) everyone[i] = i;
  const Point mean = mean_of(points, everyone);
  std::size_t first = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (squared_distance(points[i], mean) < squared_distance(points[first], mean)) first = i;
  }
  std::vector<Point> chosen = {points[first]};
  std::vector<double> distance(points.size(), std::numeric_limits<double>::infinity());
  while (static_cast<int>(chosen.size()) < clusters) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      distance[i] = std::min(distance[i], squared_distance(points[i], chosen.back()));
    }
    const auto farthest = std::max_element(distance.begin(), distance.end());
    if (*farthest <= 0) break;  // fewer distinct points than clusters
    chosen.push_back(points[static_cast<std::size_t>(farthest - distance.begin())]);
  }
  return chosen;
}

}  // namespace

std::vector<int> cluster_points(const std::vector<Point>& points, int clusters) {
  if (points.empty()) throw std::invalid_argument("no points to cluster");
  if (clusters < 1) {
    throw std::invalid_argument(std::to_string(clusters) + " clusters; allowed: 1 or more");
  }
  for (const Point& point : points) {
    if (point.size() != points.front().size()) {
      throw std::invalid_argument("points of different lengths to cluster");
    }
  }
  std::vector<Point> centers = farthest_points(points, clusters);
  std::vector<std::size_t> cluster(points.size(), 0);
  // Each round lowers the cost or changes nothing; the bound is for rounding errors' sake.
  constexpr int most_rounds = 1000;
  for (int round = 0; round < most_rounds; ++round) {
    std::vector<std::vector<std::size_t>> members(centers.size());
    bool changed = round == 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const std::size_t to = nearest(points[i], centers);
      changed = changed || to != cluster[i];
      cluster[i] = to;
      members[to].push_back(i);
    }
    if (!changed) break;
    for (std::size_t c = 0; c < centers.size(); ++c) {
      if (!members[c].empty()) centers[c] = mean_of(points, members[c]);
    }
  }
  std::map<std::size_t, int> number;
  std::vector<int> result;
  for (const std::size_t c : cluster) {
    result.push_back(number.emplace(c, static_cast<int>(number.size())).first->second);
  }
  return result;
}

std::vector<int> cluster_on_line(const std::vector<double>& values, int clusters) {
  if (values.empty()) throw std::invalid_argument("no values to cluster");
  if (clusters < 1) {
    throw std::invalid_argument(std::to_string(clusters) + " clusters; allowed: 1 or more");
  }
  std::map<double, int> counts;
  for (const double value : values) ++counts[value];
  const Intervals intervals(counts);
  const std::size_t n = counts.size();
  const std::size_t k = std::min(n, static_cast<std::size_t>(clusters));

  // best[c][i]: least cost of the first i distinct values in c + 1 clusters, the last of which
  // begins at from[c][i].
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<std::vector<double>> best(k, std::vector<double>(n + 1, infinity));
  std::vector<std::vector<std::size_t>> from(k, std::vector<std::size_t>(n + 1, 0));
  for (std::size_t i = 1; i <= n; ++i) best[0][i] = intervals.cost(0, i);
  for (std::size_t c = 1; c < k; ++c) {
    for (std::size_t i = c + 1; i <= n; ++i) {
      for (std::size_t j = c; j < i; ++j) {
        const double cost = best[c - 1][j] + intervals.cost(j, i);
        if (cost < best[c][i]) {
          best[c][i] = cost;
          from[c][i] = j;
        }
      }
    }
  }

  std::map<double, int> cluster_of;
  std::vector<double> sorted;
  for (const auto& entry : counts) sorted.push_back(entry.first);
  std::size_t end = n;
  for (std::size_t c = k; c-- > 0;) {
    for (std::size_t i = from[c][end]; i < end; ++i) cluster_of[sorted[i]] = static_cast<int>(c);
    end = from[c][end];
  }
  std::vector<int> result;
  for (const double value : values) result.push_back(cluster_of[value]);
  return result;
}

double within_cluster_sum(const std::vector<double>& values, const std::vector<int>& cluster) {
  std::map<int, double> sum, count;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum[cluster[i]] += values[i];
    count[cluster[i]] += 1;
  }
  double result = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double deviation = values[i] - sum[cluster[i]] / count[cluster[i]];
    result += deviation * deviation;
  }
  return result;
}

}  // namespace abacus::quant
