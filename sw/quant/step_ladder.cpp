#include "sw/quant/step_ladder.hpp"

#include <algorithm>
#include <cmath>

namespace abacus {

double tried_factor(std::size_t i) {
  return std::exp2(static_cast<double>(i) / tried_steps_an_octave - 2);
}

std::vector<double> errors_of_tried_steps(const std::vector<std::int64_t>& counts,
                                          std::int64_t first, double step, int lowest,
                                          int highest) {
  struct Counted {
    double value, count;
  };
  std::vector<Counted> counted;  // a tensor takes few of its integers
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    counted.push_back({static_cast<double>(first + static_cast<std::int64_t>(i)),
                       static_cast<double>(counts[i])});
  }
  std::vector<double> errors(tried_steps, 0);
  for (std::size_t i = 0; i < tried_steps; ++i) {
    const double tried = step * tried_factor(i);
    for (const Counted& of : counted) {
      const double level = std::clamp(std::nearbyint(of.value / tried), static_cast<double>(lowest),
                                      static_cast<double>(highest));
      const double difference = of.value - tried * level;
      errors[i] += of.count * difference * difference;
    }
  }
  return errors;
}

}  // namespace abacus
