#include "sw/cli/simulate_command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <thread>

#include "sw/cli/command_exit.hpp"
#include "sw/cli/integer_option.hpp"
#include "sw/experiment/hardware_rules.hpp"
#include "sw/experiment/package_cache.hpp"
#include "sw/experiment/resources.hpp"
#include "sw/experiment/results.hpp"
#include "sw/experiment/saturation_warning.hpp"
#include "sw/experiment/scenario.hpp"
#include "sw/experiment/simulation.hpp"
#include "sw/network/checkpoint.hpp"
#include "sw/network/dataset_match.hpp"
#include "sw/reading/node.hpp"
#include "sw/schedule/hardware_check.hpp"
#include "sw/support/forked_work.hpp"
#include "sw/support/output_file.hpp"
#include "sw/support/progress.hpp"
#include "sw/support/stop_request.hpp"
#include "sw/workload/synthetic_images.hpp"
#include "sw/workload/synthetic_network.hpp"

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

// What a checkpoint or package holds must be what the scenario says of the run. `place`: location and
// key in the scenario.
void compare(const experiment::RunSpec& run, const std::string& place,
             const std::filesystem::path& file, const std::string& network,
             network::Arithmetic arithmetic, const std::string& dataset,
             network::Arithmetic wanted_arithmetic) {
  const auto check = [&](const std::string& what, const std::string& found,
                         const std::string& wanted) {
    if (found == wanted) return;
    throw reading::InputError(place + ": " + file.string() + " holds " + what + " \"" + found +
                              "\"; run \"" + run.name + "\" wants \"" + wanted + '"');
  };
  check("network", network, run.network);
  check("arithmetic", network::to_string(arithmetic), network::to_string(wanted_arithmetic));
  check("data set", dataset, run.dataset);
}

// The images' shape and classes, too, must be those that the file's network is made for.
template <typename Network>
void compare_images(const std::string& place, const std::filesystem::path& file,
                    const Network& network, const network::Dataset& images) {
  try {
    network::check_images(file.string(), network, images);
  } catch (const std::invalid_argument& error) {
    throw reading::InputError(place + ": " + error.what());
  }
}

// A checkpoint of another network would only fail after it was quantized.
void compare_checkpoint(const experiment::RunSpec& run, const network::Dataset& images) {
  const std::string place = run.checkpoint_location + ": checkpoint";
  const network::Checkpoint checkpoint = network::load_checkpoint(run.checkpoint);
  compare(run, place, run.checkpoint, checkpoint.network.name, checkpoint.network.arithmetic,
          checkpoint.dataset,
          network::checkpoint_arithmetic(run.arithmetic, run.hardware.array.element.get()));
  compare_images(place, run.checkpoint, checkpoint.network, images);
}

// A ready package; what it says of its quantization becomes the run's.
experiment::Package read_ready_package(experiment::RunSpec& run, const network::Dataset& images) {
  const std::string place = run.package_location + ": package";
  experiment::Package package;
  try {
    package = {network::read_package(run.package), run.package, network::sha256_file(run.package)};
  } catch (const std::exception& error) {
    throw reading::InputError(place + ": " + error.what());
  }
  const network::PackageOrigin& origin = package.network.origin;
  compare(run, place, run.package, origin.network, origin.arithmetic, origin.dataset,
          run.arithmetic);
  compare_images(place, run.package, package.network, images);
  run.quantization.scheme = origin.scheme;
  run.quantization.weight_bits = origin.weight_bits;
  run.quantization.activation_bits = origin.activation_bits;
  run.quantization.storage_bits = package.network.layers.front().output.bits;
  return package;
}

// The request for a run's package. The trainer judges the recipe, and is asked before anything runs.
experiment::PackageRequest package_request(const experiment::RunSpec& run,
                                           const SimulateOptions& options) {
  experiment::PackageRequest request{
      run.checkpoint,
      run.dataset,
      run.quantization,
      options.data_root,
      options.cache.empty() ? experiment::default_cache_folder() : options.cache,
      experiment::find_program("abacus-train"),
      options.quiet,
      ""};
  try {
    request.full_recipe = experiment::ask_trainer(request);
  } catch (const support::Stopped&) {
    throw;
  } catch (const std::exception& error) {
    throw reading::InputError(run.quantization_location + ": quantization: run \"" + run.name +
                              "\": " + error.what());
  }
  return request;
}

// Throws with `start` and the run's name in front, unless the message already says where in which file.
template <typename Error, typename Step>
auto with_start(const std::string& start, const experiment::RunSpec& run, const Step& step) {
  const std::string named = start + "run \"" + run.name + "\": ";
  try {
    return step();
  } catch (const reading::InputError&) {
    throw;
  } catch (const support::Stopped&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw std::runtime_error(named + "not enough memory");
  } catch (const std::exception& error) {
    throw Error(named + error.what());
  }
}

template <typename Step>
auto for_run(const experiment::RunSpec& run, const Step& step) {
  return with_start<std::runtime_error>("", run, step);
}

// Likewise, where the scenario asks for what cannot be.
template <typename Step>
auto at_place(const experiment::RunSpec& run, const std::string& place, const Step& step) {
  return with_start<reading::InputError>(place + ": ", run, step);
}

// Random weights as the run's hardware takes them.
experiment::Package make_synthetic(const experiment::RunSpec& run) {
  workload::SyntheticOptions options;
  options.network = run.network;
  options.arithmetic = run.arithmetic;
  options.image = run.synthetic->image;
  options.classes = run.synthetic->classes;
  options.weight_bits = run.quantization.weight_bits;
  options.activation_bits = run.quantization.activation_bits;
  options.storage_bits = run.quantization.storage_bits;
  options.groups = run.synthetic->groups;
  options.seed = run.synthetic->seed;
  options.adapters = run.synthetic->adapters;
  if (run.element) options.element = run.element->table;
  const hw::PeArrayConfig& array = run.hardware.array;
  const bool table = run.arithmetic == network::Arithmetic::post;
  options.fraction_bits =
      table ? std::min(array.fraction_bits, array.table.fraction_bits) : array.fraction_bits;
  // DeepShift's exponents go down to 2^-14; a lookup table has entries for every other level.
  constexpr int shift_levels = 15;
  constexpr int code_levels = 127;  // of 8 bits
  options.most_levels = table ? std::min(2 * array.table.exponents + 1, code_levels) : shift_levels;
  if (run.arithmetic == network::Arithmetic::apot) options.most_levels = code_levels;
  return at_place(run, run.quantization_location, [&] {
    return experiment::Package{workload::synthetic_network(options), {}, ""};
  });
}

// Random images are made as many as are wanted.
void limit_random_images(experiment::RunSpec& run) {
  constexpr std::int64_t most = 1000;
  constexpr std::int64_t most_bytes = std::int64_t{1} << 32;  // all are in memory at once
  const std::int64_t fit = std::min(most, most_bytes / run.synthetic->image.elements());
  if (run.images == 0) run.images = std::max(1, run.timed_images);
  if (run.images > fit) {
    throw reading::InputError(run.images_location + ": images: found " +
                              std::to_string(run.images) + "; allowed: 0 (the timed ones) to " +
                              std::to_string(fit) + ", of random images of this size");
  }
  run.timed_images = static_cast<int>(std::min<std::int64_t>(run.timed_images, run.images));
}

// Random weights give no accuracy for which there should be all images.
void limit_images(experiment::RunSpec& run, const network::Dataset& dataset) {
  if (run.images == 0) {
    run.images = run.synthetic.has_value() ? std::max(1, run.timed_images) : dataset.count();
  }
  if (run.images > dataset.count()) {
    throw reading::InputError(run.images_location + ": images: found " +
                              std::to_string(run.images) + "; allowed: 0 (all) to " +
                              std::to_string(dataset.count()) + ", the size of " + run.dataset +
                              "'s test set");
  }
  run.timed_images = static_cast<int>(std::min<std::int64_t>(run.timed_images, run.images));
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
                                    int jobs) {
  const std::int64_t checked =
      options.check ? std::max<std::int64_t>(options.check_images, run.timed_images) : 0;
  const std::vector<experiment::SimulationSlice> parts = slices(run, jobs, checked);
  std::unique_ptr<support::Progress> bar;
  if (!options.quiet) bar = std::make_unique<support::Progress>(run.name, run.images);

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
    std::printf("  %11.0f cycles  %10.1f us  %10.2f uJ", run["cycles_per_image"].get<double>(),
                run["time_per_image_us"].get<double>(), run["energy_per_image_uj"].get<double>());
  }
  if (!run["bit_exact"].is_null()) {
    std::printf("  %s", run["bit_exact"].get<bool>() ? "bit-exact" : "NOT BIT-EXACT");
  }
  std::printf("\n");
  std::fflush(stdout);
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

}  // namespace

int simulate(const SimulateOptions& options) {
  const Clock::time_point start = Clock::now();
  const std::string started = utc_now();
  experiment::Scenario scenario = experiment::read_scenario(options.scenario);
  for (const std::string& line : experiment::area_warnings(scenario)) {
    std::fprintf(stderr, "abacus: warning: %s\n", line.c_str());
  }
  const int jobs = options.jobs > 0
                       ? options.jobs
                       : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const std::filesystem::path results_file =
      (options.out.empty() ? std::filesystem::path("results") / scenario.file.stem()
                           : options.out) /
      "results.json";
  support::make_output_folder(results_file.parent_path());
  const support::ReservedOutputs reserved({results_file});

  std::map<std::string, network::Dataset> datasets;
  std::map<std::string, experiment::PackageRequest> requests;  // by the run's name
  std::map<std::string, experiment::Package> ready;
  for (experiment::RunSpec& run : scenario.runs) {
    if (options.images >= 0) {
      run.images = options.images;
      run.images_location = "--images";
    }
    if (run.dataset.empty()) {
      limit_random_images(run);
    } else {
      if (datasets.count(run.dataset) == 0) {
        datasets[run.dataset] = network::load_dataset(
            run.dataset, network::Split::test, network::data_root(options.data_root, run.dataset));
      }
      limit_images(run, datasets[run.dataset]);
    }
    if (!run.checkpoint.empty()) {
      compare_checkpoint(run, datasets[run.dataset]);
      requests[run.name] = package_request(run, options);
      for_run(run, [&] { experiment::check_obtainable(requests[run.name]); });
    } else if (!run.package.empty()) {
      ready[run.name] = read_ready_package(run, datasets[run.dataset]);
      experiment::apply_hardware_rules(ready[run.name].network, run);
      at_place(run, run.hardware_location,
               [&] { schedule::check_hardware(ready[run.name].network, run.hardware); });
    }
  }

  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  nlohmann::ordered_json run_times = nlohmann::ordered_json::array();
  bool exact = true;
  for (const experiment::RunSpec& run : scenario.runs) {
    const Clock::time_point run_start = Clock::now();
    const experiment::Package package = for_run(run, [&] {
      if (run.synthetic) return make_synthetic(run);
      return run.package.empty() ? experiment::obtain_package(requests.at(run.name))
                                 : ready.at(run.name);
    });
    const double package_seconds = seconds_since(run_start);
    // The hardware first: images that it cannot take need not be made.
    const schedule::Program program = at_place(run, run.hardware_location, [&] {
      return schedule::schedule(package.network, run.hardware);
    });
    network::Dataset random_images;
    if (run.dataset.empty()) {
      const experiment::SyntheticWeights& synthetic = *run.synthetic;
      random_images = for_run(run, [&] {
        return workload::synthetic_images(synthetic.image, synthetic.classes, run.images,
                                          synthetic.seed);
      });
    }
    const network::Dataset& images = run.dataset.empty() ? random_images : datasets[run.dataset];
    for_run(run, [&] { network::check_images("package", package.network, images); });
    const Clock::time_point simulation_start = Clock::now();
    const experiment::RunOutcome outcome =
        for_run(run, [&] { return simulate_run(run, package, program, images, options, jobs); });
    runs.push_back(for_run(run, [&] {
      return experiment::run_results(run, package.network, package.sha256, program, outcome,
                                     options.check);
    }));
    run_times.push_back({{"name", run.name},
                         {"package_seconds", package_seconds},
                         {"simulation_seconds", seconds_since(simulation_start)}});
    if (!options.quiet) print_summary(runs.back());
    const std::string warning = experiment::saturation_warning(runs.back());
    if (!warning.empty()) std::fprintf(stderr, "abacus: warning: %s\n", warning.c_str());
    if (outcome.mismatch) {
      exact = false;
      std::fprintf(stderr, "abacus: run \"%s\" is not bit-exact: %s\n", run.name.c_str(),
                   outcome.mismatch->text().c_str());
    }
  }
  if (support::stop_requested()) throw support::Stopped();
  experiment::write_results(results_file,
                            experiment::scenario_results(scenario, runs,
                                                         {{"started", started},
                                                          {"seconds", seconds_since(start)},
                                                          {"jobs", jobs},
                                                          {"runs", run_times}}));
  remove_older_report(results_file);
  if (!options.quiet) std::printf("results: %s\n", results_file.string().c_str());
  return exact ? 0 : 1;
}

void add_simulate_command(CLI::App& app) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* command = app.add_subcommand(
      "simulate", "Run a scenario through the hardware models; write results.json");
  command->add_option("scenario", options->scenario, "Scenario file (TOML)")->required();
  command->add_flag("--check", options->check,
                    "Compare every layer's output with the reference executor; exit status 1 if "
                    "any value differs");
  add_integer(*command, "--check-images", options->check_images,
              "How many images --check looks at, the timed ones at least", {1, most_images});
  command->add_option("--data", options->data_root,
                      "Folder of the data sets; default: ABACUS_DATA, else Debian's package");
  command->add_option("--out", options->out,
                      "Folder for results.json; default: results/NAME-OF-THE-SCENARIO-FILE");
  add_integer(*command, "--jobs", options->jobs, "Processes; the results do not depend on it",
              {1, 1024})
      ->default_str("one a processor");
  add_integer(*command, "--images", options->images, "Instead of the scenario's; 0: all",
              {0, most_images});
  command->add_option("--cache", options->cache,
                      "Folder of integer packages; default: ~/.cache/abacus");
  command->add_flag("--quiet", options->quiet, "No progress, no summary; errors and warnings only");
  command->callback([options] {
    support::catch_stop_signals();
    throw CommandExit{simulate(*options)};
  });
}

}  // namespace abacus::cli
