// Whole numbers on the command line: CLI11's own reading takes a number that is out of range for the largest
// one, −1 for 2^64 − 1 and 010 for 8.
#pragma once

#include <CLI/CLI.hpp>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "sw/support/whole_number.hpp"

namespace abacus::cli {

template <typename Integer>
struct IntegerRange {
  Integer lowest = std::numeric_limits<Integer>::lowest();
  Integer highest = std::numeric_limits<Integer>::max();

  bool has(Integer value) const { return value >= lowest && value <= highest; }
  std::string text() const { return std::to_string(lowest) + " to " + std::to_string(highest); }
};

// Throws CLI::ValidationError naming the option, what was found and what is allowed.
template <typename Integer>
Integer read_integer(const std::string& option, const std::string& text,
                     const IntegerRange<Integer>& range) {
  const auto value = support::whole_number<Integer>(text);
  if (!value || !range.has(*value)) {
    throw CLI::ValidationError(option,
                               "found " + text + "; allowed: a whole number, " + range.text());
  }
  return *value;
}

// Template arguments come from the variable alone.
template <typename Type>
struct Same {
  using type = Type;
};

// `value` must outlive the parsing. What it holds is shown as the default where the range has it.
template <typename Integer>
CLI::Option* add_integer(CLI::App& command, const std::string& option, Integer& value,
                         const std::string& help,
                         const typename Same<IntegerRange<Integer>>::type& range) {
  CLI::Option* added = command.add_option_function<std::string>(
      option,
      [&value, option, range](const std::string& text) {
        value = read_integer(option, text, range);
      },
      help);
  added->type_name("INT in [" + range.text() + ']');
  if (range.has(value)) added->default_str(std::to_string(value));
  return added;
}

// Several, separated by commas.
template <typename Integer>
CLI::Option* add_integers(CLI::App& command, const std::string& option,
                          std::vector<Integer>& values, const std::string& help,
                          const typename Same<IntegerRange<Integer>>::type& range) {
  CLI::Option* added = command.add_option_function<std::vector<std::string>>(
      option,
      [&values, option, range](const std::vector<std::string>& texts) {
        values.clear();
        for (const std::string& text : texts) values.push_back(read_integer(option, text, range));
      },
      help);
  std::string shown;
  for (const Integer value : values) shown += (shown.empty() ? "" : ",") + std::to_string(value);
  added->type_name("INT in [" + range.text() + ']')->delimiter(',')->default_str(shown);
  return added;
}

}  // namespace abacus::cli
