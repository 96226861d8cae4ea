#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/cli/shared/command_exit.hpp"
#include "sw/cli/simulator/commands.hpp"
#include "sw/experiment/resources.hpp"
#include "sw/support/child_process.hpp"
#include "sw/support/stop_request.hpp"

namespace abacus::cli {
namespace {

// Debian's own Python, which has Debian's jinja2; another one may stand first on PATH.
constexpr const char* python = "/usr/bin/python3";

}  // namespace

void add_report_command(CLI::App& app) {
  auto results = std::make_shared<std::filesystem::path>();
  auto out = std::make_shared<std::filesystem::path>();
  auto details = std::make_shared<std::vector<std::string>>();
  auto points = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("report", "Make a self-contained HTML page of results, or of a study");
  command->add_option("results", *results, "results.json of `abacus simulate`, or a study's folder")
      ->required();
  command->add_option("--out", *out,
                      "The page; default: report.html beside the results, or in the folder");
  command
      ->add_option("--detail", *details,
                   "Layers of this run too, where there are too many to show all of them")
      ->allow_extra_args(false);
  command->add_flag("--points", *points, "The file is the points of a study");
  command->callback([results, out, details, points] {
    const std::filesystem::path script = experiment::resource_folder() / "scripts" / "report";
    for (const std::filesystem::path& needed : {std::filesystem::path(python), script}) {
      if (!std::filesystem::exists(needed)) {
        throw std::runtime_error("the report needs " + needed.string() + ", which is not there");
      }
    }
    std::vector<std::string> arguments{script.string()};
    if (!out->empty()) arguments.push_back("--out=" + out->string());
    for (const std::string& run : *details) arguments.push_back("--detail=" + run);
    if (*points) arguments.emplace_back("--points");
    // Names may begin with a dash.
    arguments.emplace_back("--");
    arguments.push_back(results->string());
    support::catch_stop_signals();
    throw CommandExit{support::run_program(python, arguments, support::ChildOutput::to_stdout)};
  });
}

}  // namespace abacus::cli
