#include "sw/quant/plan/adder_grid.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace abacus::quant {

double AdderGrid::activation_step() const { return std::ldexp(unit, activation_shift); }
double AdderGrid::weight_step() const { return std::ldexp(unit, weight_shift); }

AdderGrid adder_grid(double range, int weight_bits, int activation_bits, OperandGrid grid) {
  for (const int bits : {weight_bits, activation_bits}) {
    if (bits < 2 || bits > 8) {
      throw std::invalid_argument("operand width is " + std::to_string(bits) +
                                  "; allowed: 2 to 8 bits");
    }
  }
  if (!(range > 0)) {
    throw std::invalid_argument("operand range is " + std::to_string(range) + "; allowed: above 0");
  }
  const bool weight_signed = grid != OperandGrid::nonnegative;
  const bool activation_signed = grid == OperandGrid::symmetric;
  const double weight_step = (weight_signed ? 2 : 1) * range / ((1 << weight_bits) - 1);
  const double activation_step = (activation_signed ? 2 : 1) * range / ((1 << activation_bits) - 1);
  // For ranges that agree, the ratio of the two steps lies within a factor of two of 2^exponent.
  const int exponent =
      activation_bits - weight_bits + (weight_signed && !activation_signed ? 1 : 0);
  AdderGrid result;
  result.weight_shift = std::max(exponent, 0);
  result.activation_shift = std::max(-exponent, 0);
  result.unit = std::max(std::ldexp(weight_step, -result.weight_shift),
                         std::ldexp(activation_step, -result.activation_shift));
  result.activation_lowest = lowest_integer(activation_bits, activation_signed);
  result.activation_highest = highest_integer(activation_bits, activation_signed);
  result.weight_lowest = lowest_integer(weight_bits, weight_signed);
  result.weight_highest = highest_integer(weight_bits, weight_signed);
  return result;
}

}  // namespace abacus::quant
