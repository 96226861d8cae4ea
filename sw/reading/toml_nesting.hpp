// How deep a TOML text is nested, before a parser that calls itself for each level builds it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace abacus::reading {

struct TextPosition {
  int line = 1;
  int column = 1;
};

// Where brackets, or the parts of one dotted key, first go deeper than `most` levels each. Looks into no
// text and no comment; what is no TOML is the parser's to refuse.
std::optional<TextPosition> too_deep(std::string_view toml, std::size_t most);

}  // namespace abacus::reading
