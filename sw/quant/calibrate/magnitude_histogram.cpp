#include "sw/quant/calibrate/magnitude_histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

namespace abacus::quant {
namespace {

constexpr int dropped_fraction_bits = 13;  // of a float's 23
constexpr std::size_t bin_count = std::size_t{1} << (31 - dropped_fraction_bits);

std::size_t bin_of(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return (bits & 0x7FFFFFFFU) >> dropped_fraction_bits;
}

// The middle of a bin.
double magnitude_of(std::size_t bin) {
  if (bin == 0) return 0;
  const std::uint32_t bits = (static_cast<std::uint32_t>(bin) << dropped_fraction_bits) |
                             (1U << (dropped_fraction_bits - 1));
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return static_cast<double>(value);
}

}  // namespace

MagnitudeHistogram::MagnitudeHistogram() : bins_(bin_count, 0) {}

void MagnitudeHistogram::add(const float* values, std::int64_t count) {
  float maximum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    ++bins_[bin_of(values[i])];
    maximum = std::max(maximum, std::abs(values[i]));
  }
  maximum_ = std::max(maximum_, static_cast<double>(maximum));
  count_ += count;
}

double MagnitudeHistogram::mean() const {
  if (maximum_ <= 0) return 0;
  double sum = 0;
  const std::size_t last = bin_of(static_cast<float>(maximum_));
  for (std::size_t bin = 0; bin <= last; ++bin) {
    sum += static_cast<double>(bins_[bin]) * magnitude_of(bin);
  }
  return sum / static_cast<double>(count_);
}

double MagnitudeHistogram::squared_error(double range, int levels) const {
  const double step = range / levels;
  double error = 0;
  const std::size_t last = bin_of(static_cast<float>(maximum_));
  // Below a thousandth of a step the error is the magnitude itself, and vanishes.
  for (std::size_t bin = bin_of(static_cast<float>(step * 1e-3)); bin <= last; ++bin) {
    if (bins_[bin] == 0) continue;
    const double magnitude = magnitude_of(bin);
    const double level = std::min(std::floor(magnitude / step + 0.5), static_cast<double>(levels));
    const double difference = magnitude - level * step;
    error += static_cast<double>(bins_[bin]) * difference * difference;
  }
  return error;
}

double MagnitudeHistogram::best_range(int levels) const {
  if (maximum_ <= 0) return 1;
  double best = maximum_;
  double least = squared_error(maximum_, levels);
  // Down to 1/64 of the maximum; with two bits the best range is well inside.
  constexpr int candidates_an_octave = 32;
  for (int i = 1; i <= 6 * candidates_an_octave; ++i) {
    const double range = maximum_ * std::exp2(-static_cast<double>(i) / candidates_an_octave);
    const double error = squared_error(range, levels);
    if (error < least) {
      least = error;
      best = range;
    }
  }
  return best;
}

float magnitude_quantile(const float* values, std::int64_t count, double alpha) {
  if (count < 1) throw std::invalid_argument("quantile of no values");
  if (!(alpha > 0 && alpha <= 1)) {
    throw std::invalid_argument("alpha is " + std::to_string(alpha) +
                                "; allowed: above 0, at most 1");
  }
  const auto rank = static_cast<std::int64_t>(std::ceil(alpha * static_cast<double>(count - 1)));
  // The bin that holds the rank, then the rank within the bin.
  std::vector<std::uint32_t> bins(bin_count, 0);
  for (std::int64_t i = 0; i < count; ++i) ++bins[bin_of(values[i])];
  std::int64_t below = 0;
  std::size_t bin = 0;
  while (below + bins[bin] <= rank) below += bins[bin++];
  std::vector<float> inside;
  for (std::int64_t i = 0; i < count; ++i) {
    if (bin_of(values[i]) == bin) inside.push_back(std::abs(values[i]));
  }
  const auto nth = inside.begin() + (rank - below);
  std::nth_element(inside.begin(), nth, inside.end());
  return *nth;
}

}  // namespace abacus::quant
