#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "sw/cli/shared/command_exit.hpp"
#include "sw/cli/shared/integer_option.hpp"
#include "sw/cli/shared/json_output.hpp"
#include "sw/cli/simulator/commands.hpp"
#include "sw/compare/difference.hpp"

namespace abacus::cli {
namespace {

constexpr int differs = 1;

struct DiffOptions {
  std::filesystem::path a;
  std::filesystem::path b;
  bool json = false;
  bool markdown = false;
  std::size_t top = 5;
};

int diff(const DiffOptions& options) {
  const compare::Difference found = compare::difference(compare::read_results_values(options.a),
                                                        compare::read_results_values(options.b));
  if (options.json) {
    print_json("diff", compare::to_json(found));
  } else {
    std::cout << (options.markdown ? compare::to_markdown(found, options.top)
                                   : compare::to_text(found, options.top));
  }
  return found.same() ? 0 : differs;
}

}  // namespace

void add_diff_command(CLI::App& app) {
  auto options = std::make_shared<DiffOptions>();
  CLI::App* command = app.add_subcommand(
      "diff", "Tell where two results differ; exit status 0: nowhere, 1: somewhere, 2: an error");
  command->add_option("a", options->a, "results.json, or its folder")->required();
  command->add_option("b", options->b, "The one to compare with it")->required();
  CLI::Option* json = add_json_option(*command, options->json);
  command->add_flag("--markdown", options->markdown, "Print tables in Markdown")->excludes(json);
  add_integer(*command, "--top", options->top,
              "Layers, units, components of a metric that are shown, the largest changes first; "
              "0: all",
              {0, 1000000});
  command->callback([options] { throw CommandExit{diff(*options)}; });
}

}  // namespace abacus::cli
