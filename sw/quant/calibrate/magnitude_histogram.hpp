// What calibration remembers of a tensor: how often each magnitude occurs.
#pragma once

#include <cstdint>
#include <vector>

namespace abacus::quant {

// Counts |x| in bins of equal relative width, 1,024 an octave (a float's exponent and its ten
// highest fraction bits), so that no range needs to be known beforehand.
class MagnitudeHistogram {
 public:
  MagnitudeHistogram();

  void add(const float* values, std::int64_t count);

  std::int64_t count() const { return count_; }
  double maximum() const { return maximum_; }
  double mean() const;  // of |x|, to a thousandth; 0 if nothing was counted

  // The range r that minimises the mean squared error of quantizing the magnitudes to the levels
  // 0, r/levels, …, r. 1 if nothing but zeros was counted.
  double best_range(int levels) const;

 private:
  double squared_error(double range, int levels) const;

  std::vector<std::int64_t> bins_;
  std::int64_t count_ = 0;
  double maximum_ = 0;
};

// The ⌈alpha·(n − 1)⌉-th smallest of the n magnitudes |x|, counted from 0: AdderQuant's activation
// range (section 3.2, "outliers clamp"). 0 < alpha ≤ 1, n ≥ 1, else std::invalid_argument.
float magnitude_quantile(const float* values, std::int64_t count, double alpha);

}  // namespace abacus::quant
