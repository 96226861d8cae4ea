// Options of tables (sw/quant/options/option.hpp) on the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "sw/quant/options/option.hpp"
#include "sw/quant/options/option_help.hpp"

namespace abacus::cli {

// Puts what the user gives into `values`, which must outlive the parsing; the table refuses what it does
// not allow. `section`: of --help, which it stands in.
template <template <template <typename> class> class Fields>
void add_option_flag(CLI::App& command, const quant::Option<Fields>& option,
                     const quant::OptionHelp& help, Fields<std::optional>& values,
                     std::string_view section) {
  command
      .add_option_function<std::string>(
          option.flag(), [&option, &values](const std::string& text) { option.read(text, values); },
          help.sentence())
      ->type_name(help.allowed())
      ->group(std::string(section));
}

}  // namespace abacus::cli
