#include "sw/quant/activations/step_ladder.hpp"

#include <algorithm>
#include <cmath>

namespace abacus::quant {
namespace {

// Of the integers first, first + 1, …, up to each of them: how many there are, their sum, that of their
// squares. A quantizer's level then costs the same however many integers round to it.
class RunningSums {
 public:
  RunningSums(const std::vector<std::int64_t>& counts, std::int64_t first)
      : first_(first), sums_(counts.size() + 1) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const double v = static_cast<double>(first + static_cast<std::int64_t>(i));
      const double count = static_cast<double>(counts[i]);
      sums_[i + 1] = {sums_[i].count + count, sums_[i].values + count * v,
                      sums_[i].squares + count * v * v};
    }
  }

  std::size_t size() const { return sums_.size() - 1; }

  // How many of the integers are at most `border`.
  std::size_t until(double border) const {
    const double place = std::floor(border) - static_cast<double>(first_) + 1;
    return static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(size())));
  }

  // Σ (v − value)² of the integers from the begin-th to before the end-th.
  double error(std::size_t begin, std::size_t end, double value) const {
    const double count = sums_[end].count - sums_[begin].count;
    const double values = sums_[end].values - sums_[begin].values;
    const double squares = sums_[end].squares - sums_[begin].squares;
    return squares - 2 * value * values + value * value * count;
  }

 private:
  struct Sums {
    double count = 0, values = 0, squares = 0;
  };
  std::int64_t first_;
  std::vector<Sums> sums_;
};

}  // namespace

double tried_factor(std::size_t i) {
  return std::exp2(static_cast<double>(i) / tried_steps_an_octave - tried_octaves_below);
}

std::vector<double> errors_of_tried_steps(const std::vector<std::int64_t>& counts,
                                          std::int64_t first, double step, int lowest,
                                          int highest) {
  const RunningSums sums(counts, first);
  std::vector<double> errors(tried_step_count, 0);
  for (std::size_t i = 0; i < tried_step_count; ++i) {
    const double tried = step * tried_factor(i);
    std::size_t begin = 0;
    for (int level = lowest; level <= highest && begin < sums.size(); ++level) {
      // On the border between two levels both are as far away.
      const std::size_t end = level == highest ? sums.size() : sums.until((level + 0.5) * tried);
      if (end > begin) errors[i] += sums.error(begin, end, level * tried);
      begin = std::max(begin, end);
    }
    errors[i] = std::max(errors[i], 0.0);  // differences of large sums
  }
  return errors;
}

std::size_t least_error(const std::vector<double>& errors) {
  const double least = *std::min_element(errors.begin(), errors.end());
  constexpr std::ptrdiff_t one = tried_octaves_below * tried_steps_an_octave;
  std::ptrdiff_t found = -1;
  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(errors.size()); ++i) {
    if (errors[static_cast<std::size_t>(i)] > least) continue;
    if (found < 0 || std::abs(i - one) < std::abs(found - one)) found = i;
  }
  return static_cast<std::size_t>(found);
}

}  // namespace abacus::quant
