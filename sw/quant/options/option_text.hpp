// Values of options as text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace abacus::quant {

template <typename Integer>
std::string option_text(Integer value) {
  return std::to_string(value);
}
std::string option_text(double value);  // ten digits, as recipes have it

std::optional<double> real_of(const std::string& text);  // the whole of it, or nothing
std::optional<bool> truth_of(const std::string& text);   // "true", "1", "false", "0"

std::optional<std::size_t> place_among(const std::vector<std::string>& names,
                                       const std::string& text);
std::string listed(const std::vector<std::string>& names);  // "max, mean, all"

}  // namespace abacus::quant
