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
  if (!code.exponents) return 0;
  if (code.exponents == hw::TapKind::half_shifted) {
    return asked.value_or(network::usual_table_fraction_bits(code.magnitudes));
  }
  int largest = code.magnitudes - 1;  // exponent
  if (code.exponents == hw::TapKind::twice_shifted) {
    largest = 0;
    for (const std::vector<int>& exponents : {code.first_exponents, code.second_exponents}) {
      largest = std::max(largest, *std::max_element(exponents.begin(), exponents.end()));
    }
  }
  return std::min(largest, asked.value_or(default_fraction_bits));
}

int exponent_tap(const WeightCode& code, int fraction_bits, int activation, int stored) {
  if (stored == 0) return 0;
  const int number = std::abs(stored);
  long tap = 0;
  switch (code.exponents.value()) {
    case hw::TapKind::shifted:
      tap = shifted(activation, fraction_bits, number - 1);
      break;
    case hw::TapKind::half_shifted:
      if (number % 2 == 1) {
        tap = shifted(activation, fraction_bits, (number - 1) / 2);
      } else {  // what the lookup table holds: rounded
        tap = std::lround(std::ldexp(std::abs(activation), fraction_bits) * code.value(number));
      }
      break;
    case hw::TapKind::twice_shifted: {
      const std::size_t place = static_cast<std::size_t>(number);
      for (const int exponent : {code.first_exponents.at(place % code.first_exponents.size()),
                                 code.second_exponents.at(place / code.first_exponents.size())}) {
        if (exponent >= 0) tap += shifted(activation, fraction_bits, exponent);
      }
      break;
    }
    default:
      throw std::logic_error("a tap of weights that are no exponents");
  }
  return static_cast<int>((activation < 0) == (stored < 0) ? tap : -tap);
}

}  // namespace abacus::quant
