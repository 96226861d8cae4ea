#include "sw/regress/case_run.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "sw/experiment/resources.hpp"
#include "sw/support/child_process.hpp"
#include "sw/support/forked_work.hpp"
#include "sw/support/stop_request.hpp"
#include "sw/support/work_folder.hpp"

namespace abacus::regress {
namespace {

std::vector<std::string> arguments(const Case& of, const RunOptions& options,
                                   const std::filesystem::path& out) {
  std::vector<std::string> words = {"simulate", "--quiet", "--jobs=1", "--out=" + out.string()};
  for (const std::string& setting : of.settings) words.push_back("--set=" + setting);
  if (of.images) words.push_back("--images=" + std::to_string(*of.images));
  if (!options.data_root.empty()) words.push_back("--data=" + options.data_root.string());
  if (!options.cache.empty()) words.push_back("--cache=" + options.cache.string());
  // Names may begin with a dash.
  words.emplace_back("--");
  words.push_back(of.scenario.string());
  return words;
}

nlohmann::json run(const Case& of, const RunOptions& options, const std::filesystem::path& out) {
  const auto start = std::chrono::steady_clock::now();
  const support::ProgramOutput said =
      support::capture_program(experiment::own_executable(), arguments(of, options, out));
  std::string error;
  if (said.status != 0) {
    error = "abacus simulate ended with status " + std::to_string(said.status) + '\n' + said.err;
  }
  return {
      {"seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()},
      {"error", error}};
}

}  // namespace

std::vector<CaseRun> run_cases(const std::vector<Case>& cases, const RunOptions& options) {
  const support::WorkFolder work(std::filesystem::temp_directory_path(), "abacus-regress");
  const auto out = [&](std::size_t i) { return work.path() / ("case" + std::to_string(i)); };
  const int processes = std::max(1, std::min(options.jobs, static_cast<int>(cases.size())));
  const auto share = [&](int task, const support::Report&) {
    nlohmann::json all = nlohmann::json::object();
    for (std::size_t i = static_cast<std::size_t>(task); i < cases.size();
         i += static_cast<std::size_t>(processes)) {
      all[std::to_string(i)] = run(cases[i], options, out(i));
    }
    return all;
  };
  std::vector<CaseRun> runs(cases.size());
  for (const nlohmann::json& part : support::run_forked(processes, share, [](std::int64_t) {})) {
    for (const auto& [index, told] : part.items()) {
      CaseRun& one = runs[std::stoul(index)];
      told.at("seconds").get_to(one.seconds);
      told.at("error").get_to(one.error);
    }
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].error.empty()) continue;
    try {
      runs[i].results = compare::read_results_values(out(i));
    } catch (const std::runtime_error& error) {
      runs[i].error = error.what();
    }
  }
  return runs;
}

}  // namespace abacus::regress
