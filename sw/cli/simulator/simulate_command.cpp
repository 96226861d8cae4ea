#include "sw/cli/simulator/simulate_command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "sw/cli/shared/command_exit.hpp"
#include "sw/cli/shared/integer_option.hpp"
#include "sw/cli/simulator/commands.hpp"
#include "sw/cli/simulator/scenario_option.hpp"
#include "sw/experiment/hardware/hardware_rules.hpp"
#include "sw/experiment/package_cache.hpp"
#include "sw/experiment/partial_results.hpp"
#include "sw/experiment/results.hpp"
#include "sw/experiment/run_errors.hpp"
#include "sw/experiment/run_identity.hpp"
#include "sw/experiment/run_inputs.hpp"
#include "sw/experiment/saturation_warning.hpp"
#include "sw/experiment/scenario.hpp"
#include "sw/experiment/simulation.hpp"
#include "sw/experiment/table_agreement.hpp"
#include "sw/network/dataset_match.hpp"
#include "sw/reading/section.hpp"
#include "sw/schedule/hardware_check.hpp"
#include "sw/support/forked_work.hpp"
#include "sw/support/log.hpp"
#include "sw/support/output_file.hpp"
#include "sw/support/progress.hpp"
#include "sw/support/stop_request.hpp"
#include "sw/workload/synthetic_images.hpp"

namespace abacus::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t most_images = std::int64_t{1} << 40;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm fields{};
  ::gmtime_r(&now, &fields);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &fields);
  return text;
}

// Contiguous slices, as even as can be. The first one has all timed images, since only the platform
// that ran the ones before gives an image the state that it would have in one process.
std::vector<experiment::SimulationSlice> slices(const experiment::RunSpec& run, int jobs,
                                                std::int64_t checked) {
  const std::int64_t first =
      std::max<std::int64_t>(run.timed_images, (run.images + jobs - 1) / jobs);
  std::vector<experiment::SimulationSlice> all{
      {0, std::min(first, run.images), run.timed_images, 0}};
  const std::int64_t rest = run.images - all[0].count;
  const std::int64_t others = std::min<std::int64_t>(jobs - 1, rest);
  for (std::int64_t i = 0; i < others; ++i) {
    const std::int64_t begin = all[0].count + rest * i / others;
    const std::int64_t end = all[0].count + rest * (i + 1) / others;
    all.push_back({begin, end - begin, 0, 0});
  }
  for (experiment::SimulationSlice& slice : all) {
    slice.checked = std::clamp<std::int64_t>(checked - slice.first, 0, slice.count);
  }
  return all;
}

experiment::RunOutcome simulate_run(const experiment::RunSpec& run,
                                    const experiment::Package& package,
                                    const schedule::Program& program,
                                    const network::Dataset& dataset, const SimulateOptions& options,
                                    int jobs, const std::string& title) {
  const std::int64_t checked =
      options.check ? std::max<std::int64_t>(options.check_images, run.timed_images) : 0;
  const std::vector<experiment::SimulationSlice> parts = slices(run, jobs, checked);
  std::unique_ptr<support::Progress> bar;
  if (!options.quiet) bar = std::make_unique<support::Progress>(title, run.images);

  const auto work = [&](int task, const support::Report& report) {
    const experiment::SimulationSlice& slice = parts[static_cast<std::size_t>(task)];
    // A message for every image would cost more than a small image does.
    Clock::time_point last = Clock::now();
    const support::Report now_and_then = [&](std::int64_t done) {
      if (done != slice.count && seconds_since(last) < 0.1) return;
      last = Clock::now();
      report(done);
    };
    return experiment::to_json(experiment::simulate_slice(package.network, program, run.hardware,
                                                          run.level, run.engine, dataset, slice,
                                                          now_and_then));
  };
  const auto progress = [&](std::int64_t done) {
    if (bar) bar->update(done);
  };
  experiment::RunOutcome outcome;
  for (const nlohmann::json& part :
       support::run_forked(static_cast<int>(parts.size()), work, progress)) {
    experiment::append(outcome, experiment::outcome_from_json(part));
  }
  return outcome;
}

void print_summary(const nlohmann::ordered_json& run) {
  std::printf("%-28s ", run["name"].get<std::string>().c_str());
  if (run["accuracy_percent"].is_null()) {
    std::printf("no accuracy (random weights)");
  } else {
    std::printf("%6.2f %%", run["accuracy_percent"].get<double>());
  }
  if (!run["cycles_per_image"].is_null()) {
    std::printf("  %11.0f cycles  %10.1f us  %10.2f uJ (%.2f static)  %7.1f mW",
                run["cycles_per_image"].get<double>(), run["time_per_image_us"].get<double>(),
                run["energy_per_image_uj"].get<double>(), run["static_energy_uj"].get<double>(),
                run["power_mw"].get<double>());
  }
  if (!run["bit_exact"].is_null()) {
    std::printf("  %s", run["bit_exact"].get<bool>() ? "bit-exact" : "NOT BIT-EXACT");
  }
  std::printf("\n");
  std::fflush(stdout);
}

void print_frame(const nlohmann::ordered_json& run) {
  const auto frame = run.find("frame");
  if (frame == run.end()) return;
  const double rate = (*frame)["frames_per_second"];
  if (!(*frame)["reached"].get<bool>()) {
    char text[96];
    std::snprintf(text, sizeof text,
                  "an image takes %.1f us, longer than a frame at %g frames a second",
                  run["time_per_image_us"].get<double>(), rate);
    support::log_warning("run \"" + run["name"].get<std::string>() + "\": " + text);
    return;
  }
  std::printf("  at %g frames a second %.2f uJ a frame, %.1f mW\n", rate,
              (*frame)["energy_uj"].get<double>(), (*frame)["power_mw"].get<double>());
}

// The first ones; results.json has all.
void print_disagreements(const nlohmann::ordered_json& runs) {
  constexpr std::size_t most = 5;
  const auto all = experiment::table_disagreements(runs);
  for (std::size_t i = 0; i < std::min(most, all.size()); ++i) {
    std::printf("%s\n", all[i].text().c_str());
  }
  if (all.size() > most) {
    std::printf("the tables differ about %zu more pairs of runs (energy_disagreements)\n",
                all.size() - most);
  }
}

// Of a scenario's results.
std::filesystem::path default_folder(const std::filesystem::path& scenario) {
  return scenario == "-" ? "standard-input" : scenario.stem();
}

// Its results are no longer there.
void remove_older_report(const std::filesystem::path& results_file) {
  const std::filesystem::path report =
      std::filesystem::path(results_file).replace_filename("report.html");
  std::error_code ignored;
  if (std::filesystem::is_regular_file(std::filesystem::symlink_status(report, ignored))) {
    std::filesystem::remove(report, ignored);
  }
}

using Requests = std::map<std::string, experiment::PackageRequest>;  // by the run's name
using Packages = std::map<std::string, experiment::Package>;

// A run that is ready for its first image.
struct Prepared {
  double package_seconds = 0;
  // Both, or none where there are too many to hold all.
  std::optional<experiment::Package> package;
  std::optional<schedule::Program> program;
};

std::vector<std::string> identities_of(const experiment::Scenario& scenario,
                                       const Requests& requests, const SimulateOptions& options) {
  std::vector<std::string> identities;
  experiment::ReadFiles files;
  for (const experiment::RunSpec& run : scenario.runs) {
    const auto request = requests.find(run.name);
    identities.push_back(
        experiment::run_identity(run, request == requests.end() ? "" : request->second.full_recipe,
                                 options.check ? options.check_images : 0, files));
  }
  return identities;
}

std::vector<std::string> missing_runs(const experiment::Scenario& scenario,
                                      const std::vector<std::string>& identities,
                                      const experiment::PartialResults& partial) {
  std::vector<std::string> missing;
  for (std::size_t r = 0; r < scenario.runs.size(); ++r) {
    if (partial.find(identities[r]) == nullptr) missing.push_back(scenario.runs[r].name);
  }
  return missing;
}

// What an earlier command left.
void tell_kept(const experiment::Scenario& scenario, std::size_t missing,
               const experiment::PartialResults& partial) {
  if (partial.count() == 0) return;
  const std::size_t kept = scenario.runs.size() - missing;
  support::log_info(std::to_string(kept) + " of " + std::to_string(scenario.runs.size()) +
                    " runs are finished in " + partial.file().string());
  if (partial.count() > kept) {
    support::log_warning(std::to_string(partial.count() - kept) +
                         " finished runs there have other inputs; they stay until these results "
                         "are whole");
  }
}

// What this command leaves.
void tell_partial(const experiment::Scenario& scenario, const std::vector<std::string>& identities,
                  const experiment::PartialResults& partial) {
  if (partial.count() == 0) return;
  const std::vector<std::string> missing = missing_runs(scenario, identities, partial);
  support::log_info("finished runs are kept in " + partial.file().string() +
                    "; the same command goes on; missing: " +
                    (missing.empty() ? "none" : reading::joined(missing)));
}

experiment::Package package_of(const experiment::RunSpec& run, const Requests& requests,
                               const Packages& ready) {
  if (run.synthetic) return experiment::make_synthetic(run);
  return run.package.empty() ? experiment::obtain_package(requests.at(run.name))
                             : ready.at(run.name);
}

// Packages are made and programs scheduled before the first image, so that a run that does not fit on its
// hardware is told at once, with all others that do not.
std::vector<Prepared> prepare(const experiment::Scenario& scenario,
                              const std::vector<std::string>& identities,
                              const experiment::PartialResults& partial, const Requests& requests,
                              const Packages& ready) {
  constexpr std::size_t most_bytes = std::size_t{1} << 30;  // held for all runs
  std::size_t bytes = 0;
  std::vector<Prepared> all(scenario.runs.size());
  std::string errors;
  for (std::size_t r = 0; r < all.size(); ++r) {
    const experiment::RunSpec& run = scenario.runs[r];
    if (partial.find(identities[r]) != nullptr) continue;
    if (support::stop_requested()) throw support::Stopped();
    try {
      const Clock::time_point start = Clock::now();
      experiment::Package package =
          experiment::for_run(run, [&] { return package_of(run, requests, ready); });
      all[r].package_seconds = seconds_since(start);
      support::log_debug("run \"" + run.name + "\": package " +
                         (package.file.empty() ? "of random weights" : package.file.string()));
      schedule::Program program = experiment::at_place(run, run.hardware_location, [&] {
        return schedule::schedule(package.network, run.hardware);
      });
      // The package holds about as much as the program's image of the DRAM.
      bytes += 2 * program.dram_image.size();
      if (bytes > most_bytes) continue;
      all[r].package = std::move(package);
      all[r].program = std::move(program);
    } catch (const support::Stopped&) {
      throw;
    } catch (const std::exception& error) {
      errors += (errors.empty() ? "" : "\n") + std::string(error.what());
    }
  }
  if (!errors.empty()) throw std::runtime_error(errors);
  return all;
}

// "run 3 of 9, CNN 8 bit".
std::string progress_title(const experiment::Scenario& scenario, std::size_t run) {
  const std::string& name = scenario.runs[run].name;
  if (scenario.runs.size() == 1) return name;
  return "run " + std::to_string(run + 1) + " of " + std::to_string(scenario.runs.size()) + ", " +
         name;
}

// Simulates a run that is not finished yet. `title`: of its progress.
experiment::PartialResults::Entry finish_run(
    const experiment::RunSpec& run, const Prepared& prepared, const Requests& requests,
    const Packages& ready, const std::map<std::string, network::Dataset>& datasets,
    const SimulateOptions& options, int jobs, const std::string& title) {
  const experiment::Package package =
      prepared.package ? *prepared.package
                       : experiment::for_run(run, [&] { return package_of(run, requests, ready); });
  const schedule::Program program =
      prepared.program ? *prepared.program : experiment::at_place(run, run.hardware_location, [&] {
        return schedule::schedule(package.network, run.hardware);
      });
  network::Dataset random_images;
  if (run.dataset.empty()) {
    const experiment::SyntheticWeights& synthetic = *run.synthetic;
    random_images = experiment::for_run(run, [&] {
      return workload::synthetic_images(synthetic.image, synthetic.classes, run.images,
                                        synthetic.seed);
    });
  }
  const network::Dataset& images = run.dataset.empty() ? random_images : datasets.at(run.dataset);
  experiment::for_run(run, [&] { network::check_images("package", package.network, images); });
  const Clock::time_point start = Clock::now();
  const experiment::RunOutcome outcome = experiment::for_run(
      run, [&] { return simulate_run(run, package, program, images, options, jobs, title); });
  support::log_debug("run \"" + run.name + "\": " + std::to_string(run.images) + " images, " +
                     support::duration_text(seconds_since(start)));
  return {experiment::for_run(run,
                              [&] {
                                return experiment::run_results(run, package.network, package.sha256,
                                                               program, outcome, options.check);
                              }),
          {{"name", run.name},
           {"package_seconds", prepared.package_seconds},
           {"simulation_seconds", seconds_since(start)}}};
}

// Whether it is bit-exact, as far as anybody asked.
bool tell_run(const nlohmann::ordered_json& run, const SimulateOptions& options) {
  if (!options.quiet) {
    print_summary(run);
    print_frame(run);
  }
  const std::string warning = experiment::saturation_warning(run);
  if (!warning.empty()) support::log_warning(warning);
  if (run["mismatch"].is_null()) return true;
  support::log_error("run \"" + run["name"].get<std::string>() +
                     "\" is not bit-exact: " + run["mismatch"].get<std::string>());
  return false;
}

}  // namespace

int simulate(const SimulateOptions& options) {
  const Clock::time_point start = Clock::now();
  const std::string started = utc_now();
  experiment::Scenario scenario = experiment::read_scenario(options.scenario, options.settings);
  for (const std::string& line : experiment::table_warnings(scenario)) {
    support::log_warning(line);
  }
  const int jobs = options.jobs > 0
                       ? options.jobs
                       : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const std::filesystem::path results_file =
      (options.out.empty() ? std::filesystem::path("results") / default_folder(scenario.file)
                           : options.out) /
      "results.json";
  support::make_output_folder(results_file.parent_path());
  const support::ReservedOutputs reserved({results_file});

  std::map<std::string, network::Dataset> datasets;
  Requests requests;
  Packages ready;
  for (experiment::RunSpec& run : scenario.runs) {
    if (options.images >= 0) {
      run.images = options.images;
      run.images_location = "--images";
    }
    if (run.dataset.empty()) {
      experiment::limit_random_images(run);
    } else {
      if (datasets.count(run.dataset) == 0) {
        datasets[run.dataset] = network::load_dataset(
            run.dataset, network::Split::test, network::data_root(options.data_root, run.dataset));
      }
      experiment::limit_images(run, datasets[run.dataset]);
    }
    if (!run.checkpoint.empty()) {
      experiment::compare_checkpoint(run, &datasets[run.dataset]);
      requests[run.name] =
          experiment::package_request(run, {options.data_root, options.cache, options.quiet});
      experiment::for_run(run, [&] { experiment::check_obtainable(requests[run.name]); });
    } else if (!run.package.empty()) {
      ready[run.name] = experiment::read_ready_package(run, &datasets[run.dataset]);
      experiment::apply_hardware_rules(ready[run.name].network, run);
      experiment::at_place(run, run.hardware_location, [&] {
        schedule::check_hardware(ready[run.name].network, run.hardware);
      });
    }
  }

  experiment::PartialResults partial(results_file);
  const std::vector<std::string> identities = identities_of(scenario, requests, options);
  const std::vector<std::string> missing = missing_runs(scenario, identities, partial);
  tell_kept(scenario, missing.size(), partial);
  std::vector<Prepared> prepared = prepare(scenario, identities, partial, requests, ready);

  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  nlohmann::ordered_json run_times = nlohmann::ordered_json::array();
  bool exact = true;
  bool begun = false;
  try {
    for (std::size_t r = 0; r < scenario.runs.size(); ++r) {
      const experiment::RunSpec& run = scenario.runs[r];
      if (partial.find(identities[r]) == nullptr) {
        if (!std::exchange(begun, true)) partial.begin(scenario.name, missing);
        partial.keep(identities[r], finish_run(run, prepared[r], requests, ready, datasets, options,
                                               jobs, progress_title(scenario, r)));
        prepared[r] = {};
      }
      const experiment::PartialResults::Entry& entry = *partial.find(identities[r]);
      runs.push_back(entry.run);
      run_times.push_back(entry.times);
      exact = tell_run(entry.run, options) && exact;
    }
    if (support::stop_requested()) throw support::Stopped();
    experiment::write_results(results_file,
                              experiment::scenario_results(scenario, runs,
                                                           {{"started", started},
                                                            {"seconds", seconds_since(start)},
                                                            {"jobs", jobs},
                                                            {"runs", run_times}}));
  } catch (...) {
    tell_partial(scenario, identities, partial);
    throw;
  }
  partial.remove();
  remove_older_report(results_file);
  if (!options.quiet) print_disagreements(runs);
  if (!options.quiet) std::printf("results: %s\n", results_file.string().c_str());
  return exact ? 0 : 1;
}

void add_simulate_command(CLI::App& app) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* command = app.add_subcommand(
      "simulate", "Run a scenario through the hardware models; write results.json");
  add_scenario(*command, options->scenario, options->settings);
  command->add_flag("--check", options->check,
                    "Compare every layer's output with the reference executor; exit status 1 if "
                    "any value differs");
  add_integer(*command, "--check-images", options->check_images,
              "How many images --check looks at, the timed ones at least", {1, most_images});
  add_folders(*command, options->data_root, options->cache);
  command->add_option("--out", options->out,
                      "Folder for results.json; default: results/NAME-OF-THE-SCENARIO-FILE");
  add_integer(*command, "--jobs", options->jobs, "Processes; the results do not depend on it",
              {1, 1024})
      ->default_str("one a processor");
  add_integer(*command, "--images", options->images, "Instead of the scenario's; 0: all",
              {0, most_images});
  command->add_flag("--quiet", options->quiet, "No progress, no summary; errors and warnings only");
  command->callback([options] {
    support::catch_stop_signals();
    throw CommandExit{simulate(*options)};
  });
}

}  // namespace abacus::cli
