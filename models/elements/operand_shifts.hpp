// Messages about operand shifts, which all kinds of processing elements refuse alike.
#pragma once

#include <string>

#include "models/elements/tap_format.hpp"

namespace abacus::models {

inline std::string shifts_text(const TapFormat& format, const char* between = ", ") {
  return "activation_shift " + std::to_string(format.activation_shift) + between + "weight_shift " +
         std::to_string(format.weight_shift);
}

// Empty where there are none.
inline std::string refuse_shifts(const TapFormat& format, const char* unit) {
  if (format.activation_shift == 0 && format.weight_shift == 0) return {};
  return shifts_text(format) + "; " + unit + " takes 0 only";
}

}  // namespace abacus::models
