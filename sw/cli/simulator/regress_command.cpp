#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "sw/cli/shared/command_exit.hpp"
#include "sw/cli/shared/integer_option.hpp"
#include "sw/cli/shared/json_output.hpp"
#include "sw/cli/simulator/commands.hpp"
#include "sw/cli/simulator/scenario_option.hpp"
#include "sw/regress/golden.hpp"
#include "sw/regress/report.hpp"
#include "sw/support/log.hpp"
#include "sw/support/output_file.hpp"
#include "sw/support/stop_request.hpp"

namespace abacus::cli {
namespace {

constexpr int differs = 1;
constexpr int crashed = 2;

struct RegressOptions {
  std::filesystem::path suite;
  std::filesystem::path goldens;
  std::filesystem::path junit;
  std::string tier = "full";
  std::string pattern;
  std::vector<std::string> update;
  std::string reason;
  bool json = false;
  regress::RunOptions run;
};

int status_of(const std::vector<regress::CaseReport>& reports) {
  int status = 0;
  for (const regress::CaseReport& report : reports) {
    status = std::max(status, report.passed() ? 0 : report.error.empty() ? differs : crashed);
  }
  return status;
}

int check(const RegressOptions& options, const regress::Suite& suite,
          const std::vector<regress::Case>& cases) {
  std::vector<regress::Golden> goldens;
  for (const regress::Case& one : cases) goldens.push_back(regress::read_golden(one));
  const support::ReservedOutputs reserved(support::given(options.junit));
  const std::vector<regress::CaseRun> runs = regress::run_cases(cases, options.run);
  std::vector<regress::CaseReport> reports;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    regress::CaseReport report{cases[i], runs[i].seconds, runs[i].error, {}};
    if (report.error.empty()) {
      report.verdict = regress::judge(goldens[i], runs[i].results, cases[i].tolerances);
    }
    reports.push_back(std::move(report));
  }
  if (!options.junit.empty()) regress::write_junit(options.junit, suite, reports);
  if (options.json) {
    print_json("regress", regress::to_json(suite, reports));
  } else {
    std::cout << regress::to_text(reports);
  }
  return status_of(reports);
}

// In the suite's order.
std::vector<regress::Case> named_cases(const regress::Suite& suite,
                                       const std::vector<std::string>& names) {
  std::set<std::string> known;
  for (const regress::Case& one : suite.cases) known.insert(one.name);
  for (const std::string& name : names) {
    if (known.count(name) != 0) continue;
    const std::string near = reading::nearest(name, known);
    throw std::invalid_argument(
        "--update " + name + ": the suite has no such case" +
        (near.empty() ? "" : "; did you mean " + near + '?') +
        " known: " + reading::joined(std::vector<std::string>(known.begin(), known.end())));
  }
  std::vector<regress::Case> cases;
  for (const regress::Case& one : suite.cases) {
    if (std::find(names.begin(), names.end(), one.name) != names.end()) cases.push_back(one);
  }
  return cases;
}

// What was there before, or nothing where it is damaged or not there: an update makes it good.
regress::Golden older_golden(const regress::Case& of) {
  try {
    return regress::read_golden(of);
  } catch (const reading::InputError&) {
    return {};
  }
}

int update_goldens(const RegressOptions& options, const regress::Suite& suite) {
  const char* ci = std::getenv("CI");
  if (ci != nullptr && *ci != '\0' && std::string(ci) != "false") {
    throw std::invalid_argument(
        "--update: goldens are not changed where CI is set in the environment");
  }
  if (options.reason.find_first_not_of(" \t\n") == std::string::npos) {
    throw std::invalid_argument("--update: give --reason TEXT; the golden files record it");
  }
  const std::vector<regress::Case> cases = named_cases(suite, options.update);
  std::vector<std::filesystem::path> files;
  for (const regress::Case& one : cases) {
    support::make_output_folder(one.golden.parent_path());
    files.push_back(one.golden);
  }
  const support::ReservedOutputs reserved(files);
  const std::vector<regress::CaseRun> runs = regress::run_cases(cases, options.run);
  int status = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (!runs[i].error.empty()) {
      support::log_error("case " + cases[i].name + ": " + runs[i].error);
      status = crashed;
      continue;
    }
    regress::Golden golden = older_golden(cases[i]);
    const bool is_new = golden.runs.empty();
    const nlohmann::json now = regress::golden_runs(runs[i].results);
    if (golden.runs == now) {
      std::cout << "unchanged  " << cases[i].name << '\n';
      continue;
    }
    std::cout << (is_new ? "new        " : "updated    ") << cases[i].name << "  "
              << cases[i].golden.string() << '\n'
              << regress::mismatch_table(
                     regress::judge(golden, runs[i].results, regress::Tolerances::exact()));
    golden.runs = now;
    golden.reasons.push_back(options.reason);
    regress::write_golden(cases[i], golden);
  }
  return status;
}

int regress_suite(const RegressOptions& options) {
  const regress::Suite suite = regress::read_suite(options.suite, options.goldens);
  if (!options.update.empty()) return update_goldens(options, suite);
  const std::vector<regress::Case> cases =
      regress::chosen(suite, options.tier == "smoke", options.pattern);
  if (cases.empty()) {
    throw std::invalid_argument(options.suite.string() + ": no case of tier " + options.tier +
                                " has \"" + options.pattern + "\" in its name");
  }
  return check(options, suite, cases);
}

}  // namespace

void add_regress_command(CLI::App& app) {
  auto options = std::make_shared<RegressOptions>();
  CLI::App* command = app.add_subcommand("regress",
                                         "Hold a suite's scenarios against golden results; exit "
                                         "status 0: the same, 1: a case differs, "
                                         "2: a run crashed, 3: the suite is wrong");
  command->add_option("suite", options->suite, "Suite file (TOML)")->required();
  command->add_option("--tier", options->tier, "smoke: the short cases; full: all")
      ->check(CLI::IsMember({"smoke", "full"}))
      ->capture_default_str();
  command
      ->add_option("-k", options->pattern, "Only cases with this in their name (* and ? allowed)")
      ->type_name("PATTERN");
  add_integer(*command, "--jobs", options->run.jobs, "Cases at once", {1, 1024});
  command->add_option("--goldens", options->goldens,
                      "Folder of golden files, in place of the suite's");
  add_folders(*command, options->run.data_root, options->run.cache);
  CLI::Option* json = add_json_option(*command, options->json);
  CLI::Option* junit = command->add_option("--junit", options->junit, "File to write (JUnit XML)");
  CLI::Option* reason =
      command->add_option("--reason", options->reason, "Why goldens change; recorded in them");
  CLI::Option* update = command->add_option("--update", options->update,
                                            "Rewrite this case's golden file; may be repeated");
  update->type_name("CASE")->allow_extra_args(false)->excludes(json)->excludes(junit);
  reason->needs(update);
  command->callback([options] {
    support::catch_stop_signals();
    throw CommandExit{regress_suite(*options)};
  });
}

}  // namespace abacus::cli
