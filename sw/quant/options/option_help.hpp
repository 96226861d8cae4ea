// What help and documentation say of options, made from their tables.
#pragma once

#include <string>
#include <vector>

#include "sw/quant/options/option.hpp"
#include "sw/quant/options/option_table.hpp"

namespace abacus::quant {

// Who takes an option alike.
struct OptionUse {
  std::vector<std::string> users;
  std::string allowed;  // "2 to 8 bits"
  std::string usual;    // the default; empty: has to be given
  std::string with;     // under what condition; empty: none
};

struct OptionHelp {
  std::string flag;
  std::string meaning;
  std::vector<OptionUse> uses;  // most users first
  bool everyone = false;        // takes it, always

  // "2 to 8 bits; bnn: 1 bit", "8": the first use's, and those of the others where they differ.
  std::string allowed() const;
  std::string usual() const;
  std::string users() const;     // "all", or who, and under what condition
  std::string sentence() const;  // of --help
};

// Of `abacus-train quantize`, over all schemes; none for an option that no scheme takes.
OptionHelp quantize_help(const QuantizationOption& option);

// Of `abacus-train qat`: the options of the plans that it can start from, in the table's order.
const std::vector<const QuantizationOption*>& training_options();
OptionHelp training_help(const QuantizationOption& option);

template <template <template <typename> class> class Fields>
std::string shown_limits(const TakenOption<Fields>& taken) {
  const std::string unit = taken.option->unit();  // in the plural
  if (unit.empty()) return taken.allowed();
  const std::string one = unit.substr(0, unit.size() - 1);
  return taken.allowed() + " " + (taken.allowed() == "1" ? one : unit);
}

// Of an option that is taken in one way.
template <template <template <typename> class> class Fields>
OptionHelp option_help(const TakenOption<Fields>& taken) {
  return {taken.option->flag(),
          taken.option->meaning(),
          {{{}, shown_limits(taken), taken.usual, taken.with}},
          taken.with.empty()};
}

// Markdown.
std::string schemes_table();
std::string options_table(const std::vector<OptionHelp>& options);

}  // namespace abacus::quant
