#include "models/elements/exponent_element.hpp"

#include <algorithm>
#include <cstdlib>

#include "models/elements/operand_shifts.hpp"
#include "tlm/integer_math.hpp"

namespace abacus::models {

int ExponentElement::tap(const TapFormat& format, int activation, int weight) const {
  const int code = std::abs(weight);
  if (code == 0 || code > format.levels) return 0;
  const int value = level(format, code, std::abs(activation));
  return (activation < 0) == (weight < 0) ? value : -value;
}

int ExponentElement::largest_tap(const TapFormat& format) const {
  const int magnitude = std::max(-format.lowest_activation(), format.highest_activation());
  int largest = 0;
  for (int code = 1; code <= format.levels; ++code) {
    largest = std::max(largest, level(format, code, magnitude));
  }
  return largest;
}

std::string ExponentElement::refuse(const TapFormat& format) const {
  const std::string shifts = refuse_shifts(format, "a shifter");
  if (!shifts.empty()) return shifts;
  if (!format.weight_signed) return "weight_signed 0; a shifter's codes are signed: 1 only";
  const int codes = (1 << (format.weight_bits - 1)) - 1;
  if (format.levels < 1 || format.levels > codes) {
    return "levels is " + std::to_string(format.levels) + "; codes of " +
           std::to_string(format.weight_bits) + " bits have 1 to " + std::to_string(codes);
  }
  return {};
}

int ExponentElement::tap_bits(const TapFormat& format) const {
  return hw::bit_width(largest_tap(format)) + 1;
}

void ExponentElement::count_taps(Activity& activity, int layer, Component component,
                                 const TapFormat& format, std::int64_t taps) const {
  activity.count(layer, component, Action::shift, taps,
                 format.activation_bits + format.fraction_bits);
}

int ExponentElement::widest_tap_bits(const hw::PeArrayConfig& array) const {
  return array.activation_bits + array.fraction_bits + 1;
}

std::vector<AreaUse> ExponentElement::unit_parts(const hw::PeArrayConfig& array) const {
  return {shifter(array, 1)};
}

int ExponentElement::shifted(const TapFormat& format, int magnitude, int exponent) {
  return (magnitude << format.fraction_bits) >> std::min(exponent, 31);
}

AreaUse ExponentElement::shifter(const hw::PeArrayConfig& array, int count) {
  return {AreaPart::shifter, double{1} * count,
          double{1} * array.activation_bits + array.fraction_bits};
}

}  // namespace abacus::models
