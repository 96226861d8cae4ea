// An axis of a study: the values that one or several keys of the scenario take together.
#pragma once

#include <string>
#include <vector>

#include "sw/reading/section.hpp"

namespace abacus::study {

struct Axis {
  std::string name;               // in conditions, columns, messages; by default the first key
  std::vector<std::string> keys;  // of the scenario, in full; all get the same value
  std::vector<reading::Node> values;
  std::string location;  // "file:line:column"
};

// More are refused: a range with a slip of the pen.
inline constexpr std::size_t most_values = 100'000;

// [[axis]]: `key` or `keys`, `name`, and `values` (a list) or a range: `from`, `to` (included, where it is met) and `step` or
// `factor`. Texts such as "32KiB" are numbers of bytes. Throws InputError; all that is wrong goes into the section's
// mistakes where it collects.
Axis read_axis(reading::Section section, reading::Mistakes& mistakes);

// `key` or `keys`, one at least, no two alike.
std::vector<std::string> read_keys(reading::Section& section);

// "32KiB", "1.5MiB", "512B" as whole bytes; any other node as it is.
reading::Node without_size_unit(const reading::Node& node);

}  // namespace abacus::study
