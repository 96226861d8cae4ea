#include "sw/quant/weights/lq_net.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sw/quant/weights/level_sets.hpp"

namespace abacus::quant {
namespace {

constexpr int largest_sum = 127;

// A sum, and the signs that make it: bit i is set where v_i is added.
struct SignedSum {
  double value;
  unsigned signs;
};

std::vector<SignedSum> signed_sums(const std::vector<double>& basis) {
  std::vector<SignedSum> sums;
  for (unsigned signs = 0; signs < (1U << basis.size()); ++signs) {
    double value = 0;
    for (std::size_t i = 0; i < basis.size(); ++i)
      value += (signs >> i & 1U) ? basis[i] : -basis[i];
    sums.push_back({value, signs});
  }
  std::sort(sums.begin(), sums.end(),
            [](const SignedSum& a, const SignedSum& b) { return a.value < b.value; });
  return sums;
}

// Solves matrix · x = right by Gaussian elimination; false where the matrix is singular.
bool solve(std::vector<std::vector<double>> matrix, std::vector<double> right,
           std::vector<double>& x) {
  const std::size_t n = right.size();
  const double scale = matrix[0][0];  // all diagonal elements are the number of weights
  for (std::size_t column = 0; column < n; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column + 1; row < n; ++row) {
      if (std::abs(matrix[row][column]) > std::abs(matrix[pivot][column])) pivot = row;
    }
    if (std::abs(matrix[pivot][column]) < 1e-9 * scale) return false;
    std::swap(matrix[pivot], matrix[column]);
    std::swap(right[pivot], right[column]);
    for (std::size_t row = column + 1; row < n; ++row) {
      const double factor = matrix[row][column] / matrix[column][column];
      for (std::size_t k = column; k < n; ++k) matrix[row][k] -= factor * matrix[column][k];
      right[row] -= factor * right[column];
    }
  }
  x.assign(n, 0.0);
  for (std::size_t row = n; row-- > 0;) {
    double rest = right[row];
    for (std::size_t k = row + 1; k < n; ++k) rest -= matrix[row][k] * x[k];
    x[row] = rest / matrix[row][row];
  }
  return true;
}

}  // namespace

std::vector<double> fit_basis(const float* weights, std::size_t count, std::vector<double> basis,
                              int rounds) {
  const std::size_t n = basis.size();
  for (int round = 0; round < rounds && count > 0; ++round) {
    const std::vector<SignedSum> sums = signed_sums(basis);
    std::vector<double> values;
    for (const SignedSum& sum : sums) values.push_back(sum.value);
    std::vector<std::vector<double>> matrix(n, std::vector<double>(n, 0.0));
    std::vector<double> right(n, 0.0);
    for (std::size_t w = 0; w < count; ++w) {
      const double weight = static_cast<double>(weights[w]);
      const unsigned signs = sums[nearest_level(values, weight)].signs;
      const auto sign = [&](std::size_t i) { return (signs >> i & 1U) ? 1.0 : -1.0; };
      for (std::size_t i = 0; i < n; ++i) {
        right[i] += sign(i) * weight;
        for (std::size_t k = 0; k < n; ++k) matrix[i][k] += sign(i) * sign(k);
      }
    }
    std::vector<double> next;
    if (!solve(matrix, right, next)) break;
    basis = next;
  }
  return basis;
}

std::vector<double> uniform_basis(const float* weights, std::size_t count, int bits) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += static_cast<double>(weights[i]) * static_cast<double>(weights[i]);
  }
  const double range = count == 0 ? 0 : 2 * std::sqrt(sum / static_cast<double>(count));
  std::vector<double> basis;
  for (int i = 0; i < bits; ++i) basis.push_back(range * (1 << i) / ((1 << bits) - 1));
  return basis;
}

IntegerBasis integer_basis(const std::vector<double>& basis) {
  double total = 0;
  for (const double value : basis) total += std::abs(value);
  IntegerBasis result;
  result.integers.assign(basis.size(), 0);
  if (!(total > 0)) return result;
  // Rounding can carry the sum past the limit by at most half a step an element.
  for (int target = largest_sum;; --target) {
    result.unit = total / target;
    int sum = 0;
    for (std::size_t i = 0; i < basis.size(); ++i) {
      result.integers[i] = static_cast<int>(std::floor(basis[i] / result.unit + 0.5));
      sum += std::abs(result.integers[i]);
    }
    if (sum <= largest_sum) return result;
  }
}

std::vector<int> basis_sums(const IntegerBasis& basis) {
  std::vector<int> sums;
  for (unsigned signs = 0; signs < (1U << basis.integers.size()); ++signs) {
    int sum = 0;
    for (std::size_t i = 0; i < basis.integers.size(); ++i) {
      sum += (signs >> i & 1U) ? basis.integers[i] : -basis.integers[i];
    }
    sums.push_back(sum);
  }
  std::sort(sums.begin(), sums.end());
  sums.erase(std::unique(sums.begin(), sums.end()), sums.end());
  return sums;
}

}  // namespace abacus::quant
