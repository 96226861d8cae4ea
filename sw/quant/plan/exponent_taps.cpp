#include "sw/quant/plan/exponent_taps.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "sw/network/integer_limits.hpp"
#include "sw/quant/plan/quantization_plan.hpp"

namespace abacus::quant {
namespace {

// Towards 0.
long shifted(int activation, int fraction_bits, int exponent) {
  if (exponent > 31) return 0;
  return (std::abs(static_cast<long>(activation)) << fraction_bits) >> exponent;
}

}  // namespace

int fraction_bits(const WeightCode& code, std::optional<int> asked) {
  int largest = 0;  // exponent
  switch (code.form) {
    case WeightForm::integer:
      return 0;
    case WeightForm::power_of_root_two:
      return asked.value_or(network::usual_table_fraction_bits(code.magnitudes));
    case WeightForm::power_of_two:
      largest = code.magnitudes - 1;
      break;
    case WeightForm::sum_of_powers:
      for (const std::vector<int>& exponents : {code.first_exponents, code.second_exponents}) {
        largest = std::max(largest, *std::max_element(exponents.begin(), exponents.end()));
      }
      break;
  }
  return std::min(largest, asked.value_or(default_fraction_bits));
}

int exponent_tap(const WeightCode& code, int fraction_bits, int activation, int stored) {
  if (stored == 0) return 0;
  const int number = std::abs(stored);
  long tap = 0;
  switch (code.form) {
    case WeightForm::integer:
      throw std::logic_error("an exponent tap of an integer");
    case WeightForm::power_of_two:
      tap = shifted(activation, fraction_bits, number - 1);
      break;
    case WeightForm::power_of_root_two:
      if (number % 2 == 1) {
        tap = shifted(activation, fraction_bits, (number - 1) / 2);
      } else {  // what the lookup table holds: rounded
        tap = std::lround(std::ldexp(std::abs(activation), fraction_bits) * code.value(number));
      }
      break;
    case WeightForm::sum_of_powers: {
      const std::size_t place = static_cast<std::size_t>(number);
      for (const int exponent : {code.first_exponents.at(place % code.first_exponents.size()),
                                 code.second_exponents.at(place / code.first_exponents.size())}) {
        if (exponent >= 0) tap += shifted(activation, fraction_bits, exponent);
      }
      break;
    }
  }
  return static_cast<int>((activation < 0) == (stored < 0) ? tap : -tap);
}

}  // namespace abacus::quant
