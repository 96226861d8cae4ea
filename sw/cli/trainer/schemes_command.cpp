#include <CLI/CLI.hpp>
#include <cstdio>

#include "sw/cli/trainer/commands.hpp"
#include "sw/quant/qat/option_tables.hpp"

namespace abacus::cli {

void add_schemes_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "schemes", "Print the quantization schemes and all their options, in Markdown");
  command->callback([] {
    for (const quant::OptionTable& table : quant::option_tables()) {
      std::printf("%s\n\n%s\n", table.title.c_str(), table.text.c_str());
    }
  });
}

}  // namespace abacus::cli
