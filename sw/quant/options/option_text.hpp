// Values of options as text.
#pragma once

#include <charconv>
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

// The whole of the text, or nothing.
template <typename Integer>
std::optional<Integer> integer_of(const std::string& text) {
  Integer value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}
std::optional<double> real_of(const std::string& text);
std::optional<bool> truth_of(const std::string& text);  // "true", "1", "false", "0"

std::optional<std::size_t> place_among(const std::vector<std::string>& names,
                                       const std::string& text);
std::string listed(const std::vector<std::string>& names);  // "max, mean, all"

}  // namespace abacus::quant
