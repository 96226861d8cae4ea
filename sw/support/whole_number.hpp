// Whole numbers from texts.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace abacus::support {

// The number that the whole of the text says in decimal; nothing where it says none, or one that the
// type does not hold.
template <typename Integer>
std::optional<Integer> whole_number(std::string_view text) {
  Integer value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace abacus::support
