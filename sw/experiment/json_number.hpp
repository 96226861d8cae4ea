#pragma once

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace abacus::experiment {

// Whole numbers without a fraction, so that equal cycle counts read as what they are.
inline nlohmann::ordered_json number(double value) {
  if (std::floor(value) == value && std::abs(value) < 9e15) {
    return static_cast<std::int64_t>(value);
  }
  return value;
}

}  // namespace abacus::experiment
