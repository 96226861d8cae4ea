// The tables that the documentation has of schemes and options.
#pragma once

#include <string>
#include <vector>

namespace abacus::quant {

struct OptionTable {
  std::string title;  // the comment before it in the documentation
  std::string text;   // Markdown
};

std::vector<OptionTable> option_tables();

}  // namespace abacus::quant
