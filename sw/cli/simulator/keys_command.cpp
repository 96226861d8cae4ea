#include "sw/cli/simulator/keys_command.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "sw/cli/shared/command_exit.hpp"
#include "sw/cli/simulator/commands.hpp"
#include "sw/compare/metric.hpp"
#include "sw/experiment/hardware/hardware_keys.hpp"
#include "sw/experiment/results_fields.hpp"
#include "sw/support/output_file.hpp"

namespace abacus::cli {
namespace {

struct KeysOptions {
  std::string subject;
  std::filesystem::path into;
};

void keys(const KeysOptions& options) {
  const std::string table = options.subject == "hardware"  ? experiment::hardware_keys_markdown()
                            : options.subject == "metrics" ? compare::metrics_markdown()
                                                           : experiment::results_fields_markdown();
  if (options.into.empty()) {
    std::cout << table;
    return;
  }
  const support::ReservedOutputs reserved({options.into});
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(options.into, ignored)) {
    throw std::runtime_error(options.into.string() + ": is no file to put a table into");
  }
  std::ifstream in(options.into, std::ios::binary);
  const std::string document{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw std::runtime_error(options.into.string() + ": cannot read the file");
  std::string changed;
  try {
    changed = with_table(document, options.subject, table);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(options.into.string() + ": " + error.what());
  }
  support::write_output(options.into, [&](std::ostream& out) { out << changed; });
}

}  // namespace

std::string with_table(const std::string& document, const std::string& subject,
                       const std::string& table) {
  const std::string begin = "<!-- abacus keys " + subject + " -->\n";
  const std::string end = "<!-- end of abacus keys " + subject + " -->";
  const std::size_t from = document.find(begin);
  const std::size_t to = document.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from) {
    throw std::runtime_error("found no " + begin.substr(0, begin.size() - 1) + " … " + end +
                             ", between which the table belongs");
  }
  return document.substr(0, from) + begin + '\n' + table + '\n' + document.substr(to);
}

void add_keys_command(CLI::App& app) {
  auto options = std::make_shared<KeysOptions>();
  CLI::App* command = app.add_subcommand(
      "keys",
      "Print tables in Markdown: of hardware parameters, fields of results.json, or metrics");
  command->add_option("subject", options->subject, "Of what")
      ->required()
      ->check(CLI::IsMember({"hardware", "metrics", "results"}));
  command
      ->add_option("--into", options->into,
                   "Put the table into this document, between its comments <!-- abacus keys … -->")
      ->check(CLI::ExistingFile);
  command->callback([options] {
    keys(*options);
    throw CommandExit{0};
  });
}

}  // namespace abacus::cli
