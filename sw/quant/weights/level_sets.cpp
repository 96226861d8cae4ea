#include "sw/quant/weights/level_sets.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace abacus::quant {
namespace {

void check_bits(int bits) {
  if (bits < 2 || bits > 8) {
    throw std::invalid_argument("weight width is " + std::to_string(bits) +
                                "; allowed: 2 to 8 bits");
  }
}

// `magnitudes`: positive, in any order. With their negatives and 0, over the largest.
std::vector<double> with_signs(std::vector<double> magnitudes) {
  const double largest = *std::max_element(magnitudes.begin(), magnitudes.end());
  std::vector<double> levels = {0};
  for (const double magnitude : magnitudes) {
    levels.push_back(magnitude / largest);
    levels.push_back(-magnitude / largest);
  }
  std::sort(levels.begin(), levels.end());
  return levels;
}

}  // namespace

int default_magnitudes(int bits) {
  check_bits(bits);
  return (1 << (bits - 1)) - 1;
}

std::vector<double> uniform_levels(int bits) {
  std::vector<double> magnitudes;
  for (int i = 1; i <= default_magnitudes(bits); ++i) magnitudes.push_back(i);
  return with_signs(magnitudes);
}

std::vector<double> twos_complement_levels(int bits) {
  const int highest = default_magnitudes(bits);
  std::vector<double> levels;
  for (int i = -highest - 1; i <= highest; ++i) {
    levels.push_back(static_cast<double>(i) / highest);
  }
  return levels;
}

std::vector<double> zero_free_levels(int bits) {
  check_bits(bits);
  const int highest = (1 << bits) - 1;
  std::vector<double> levels;
  for (int i = 0; i <= highest; ++i) levels.push_back((2.0 * i - highest) / highest);
  return levels;
}

std::vector<double> power_of_two_levels(int bits) {
  std::vector<double> magnitudes;
  for (int i = 0; i < default_magnitudes(bits); ++i) magnitudes.push_back(std::ldexp(1.0, -i));
  return with_signs(magnitudes);
}

std::vector<double> power_of_root_two_levels(int magnitudes) {
  if (magnitudes < 1 || magnitudes > 127) {
    throw std::invalid_argument("number of magnitudes is " + std::to_string(magnitudes) +
                                "; allowed: 1 to 127");
  }
  std::vector<double> values;
  for (int i = 0; i < magnitudes; ++i) values.push_back(std::exp2(-0.5 * i));
  return with_signs(values);
}

std::vector<std::vector<int>> additive_terms(int bits) {
  check_bits(bits);
  if (bits == 2) return {{1}};
  const int terms = (bits - 1) / 2;
  const bool odd = (bits - 1) % 2 == 1;
  std::vector<std::vector<int>> result(static_cast<std::size_t>(terms));
  for (int term = 0; term < terms; ++term) {
    const int last = 2 * terms + term + 1 + (odd ? 1 : 0);
    result[static_cast<std::size_t>(term)] = {term + 1, terms + term + 1, last};
  }
  if (odd) result.push_back({2 * terms + 1});
  return result;
}

std::vector<double> additive_power_of_two_levels(int bits) {
  std::vector<double> sums = {0};
  for (const std::vector<int>& term : additive_terms(bits)) {
    std::vector<double> next = sums;
    for (const double sum : sums) {
      for (const int exponent : term) next.push_back(sum + std::ldexp(1.0, -exponent));
    }
    sums = next;
  }
  sums.erase(sums.begin());  // 0, which with_signs() adds
  return with_signs(sums);
}

std::size_t nearest_level(const std::vector<double>& levels, double value) {
  const auto above = std::upper_bound(levels.begin(), levels.end(), value);
  if (above == levels.begin()) return 0;
  const std::size_t below = static_cast<std::size_t>(above - levels.begin()) - 1;
  if (above == levels.end()) return below;
  return value - levels[below] < *above - value ? below : below + 1;
}

}  // namespace abacus::quant
