#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>

#include "sw/cli/shared/integer_option.hpp"
#include "sw/cli/shared/json_output.hpp"
#include "sw/cli/simulator/commands.hpp"
#include "sw/study/table.hpp"
#include "sw/support/log.hpp"
#include "sw/support/output_file.hpp"

namespace abacus::cli {
namespace {

struct ExportOptions {
  std::filesystem::path folder;
  std::filesystem::path out;
  std::vector<std::string> columns;
  bool csv = false;
  bool json = false;
};

struct BestOptions {
  std::filesystem::path folder;
  std::vector<std::string> minimise;
  std::vector<std::string> maximise;
  std::vector<std::string> columns;
  study::Wish wish;
  bool json = false;
};

// A study that goes on is read as it is.
void tell_missing(const study::StoredStudy& study) {
  const auto there = static_cast<std::int64_t>(study.points.size());
  if (there >= study.wanted) return;
  support::log_warning(std::to_string(there) + " of " + std::to_string(study.wanted) +
                       " points are there; the study is not finished");
}

void export_points(const ExportOptions& options) {
  const study::StoredStudy study = study::read_store(options.folder);
  tell_missing(study);
  const study::Table table = study::table_of(study, options.columns);
  const auto write = [&](std::ostream& out) {
    if (options.json) {
      out << study::to_json(table).dump(1, ' ', false,
                                        nlohmann::ordered_json::error_handler_t::replace)
          << '\n';
    } else {
      study::write_csv(out, table);
    }
  };
  if (options.out.empty()) {
    write(std::cout);
  } else {
    support::write_output(options.out, write);
  }
}

void show_best(BestOptions& options) {
  const study::StoredStudy study = study::read_store(options.folder);
  tell_missing(study);
  for (const std::string& metric : options.minimise) {
    options.wish.objectives.push_back({metric, false});
  }
  for (const std::string& metric : options.maximise) {
    options.wish.objectives.push_back({metric, true});
  }
  const study::StoredStudy chosen = study::best(study, options.wish);
  std::vector<std::string> columns = options.columns;
  if (columns.empty()) {
    columns.emplace_back("number");
    columns.insert(columns.end(), study.axes.begin(), study.axes.end());
    for (const study::Objective& objective : study::objectives_of(study, options.wish)) {
      columns.push_back(objective.metric);
    }
  }
  const study::Table table = study::table_of(chosen.points.empty() ? study : chosen, columns);
  if (options.json) {
    print_json("best", {{"points", chosen.points.empty() ? nlohmann::ordered_json::array()
                                                         : study::to_json(table)}});
    return;
  }
  if (chosen.points.empty()) {
    std::cout << "no point meets the conditions\n";
  } else {
    std::cout << study::to_text(table);
  }
}

void add_columns(CLI::App& command, std::vector<std::string>& columns) {
  command.add_option("--columns", columns, "These alone, in this order: number,rows,energy_uj")
      ->delimiter(',')
      ->type_name("NAME,…");
}

}  // namespace

void add_export_command(CLI::App& app) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command =
      app.add_subcommand("export", "Write a study's points as a table, a row a point");
  command->add_option("folder", options->folder, "The study's, as of abacus explore --out")
      ->required();
  CLI::Option* csv = command->add_flag("--csv", options->csv, "Comma-separated (the default)");
  command->add_flag("--json", options->json, "A list of objects")->excludes(csv);
  add_columns(*command, options->columns);
  command->add_option("--out", options->out, "File to write, in place of standard output");
  command->callback([options] { export_points(*options); });
}

void add_best_command(CLI::App& app) {
  auto options = std::make_shared<BestOptions>();
  CLI::App* command = app.add_subcommand(
      "best", "Choose among a study's points: the best by its objectives or others");
  command->add_option("folder", options->folder, "The study's, as of abacus explore --out")
      ->required();
  for (const auto& [name, metrics] :
       {std::pair{"--minimise", &options->minimise}, std::pair{"--maximise", &options->maximise}}) {
    command->add_option(name, *metrics, "Metric; may be repeated; default: the study's objectives")
        ->type_name("METRIC")
        ->allow_extra_args(false);
  }
  command->add_option(
      "--where", options->wish.where,
      "Condition over metrics and axes: \"area_um2 < 2e5 and accuracy_percent > 93\"");
  CLI::Option* pareto = command->add_flag("--pareto", options->wish.pareto,
                                          "All that no other one beats in all objectives");
  add_integer(*command, "--top", options->wish.top, "So many", {1, 1000000})->excludes(pareto);
  add_columns(*command, options->columns);
  add_json_option(*command, options->json);
  command->callback([options] { show_best(*options); });
}

}  // namespace abacus::cli
