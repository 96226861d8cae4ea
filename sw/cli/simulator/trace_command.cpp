#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/accelerator/platform.hpp"
#include "sw/cli/shared/command_exit.hpp"
#include "sw/cli/shared/integer_option.hpp"
#include "sw/cli/simulator/commands.hpp"
#include "sw/cli/simulator/scenario_option.hpp"
#include "sw/experiment/one_image.hpp"
#include "sw/experiment/run_errors.hpp"
#include "sw/experiment/run_inputs.hpp"
#include "sw/experiment/scenario.hpp"
#include "sw/reading/section.hpp"
#include "sw/support/output_file.hpp"
#include "sw/support/stop_request.hpp"
#include "sw/support/work_folder.hpp"
#include "sw/trace/perfetto.hpp"
#include "sw/trace/recorder.hpp"
#include "sw/trace/transactions.hpp"
#include "sw/trace/vcd.hpp"

namespace abacus::cli {
namespace {

struct TraceOptions {
  std::filesystem::path scenario;     // "-": the standard input
  std::vector<std::string> settings;  // KEY=VALUE, as read_scenario() takes them
  std::string run;
  std::string layer;
  std::int64_t image = 0;
  experiment::PackageOptions package;
  std::filesystem::path perfetto, csv, dramsys, ramulator, vcd;
  std::vector<std::string> signals = {"*"};
  double from_us = 0;
  double to_us = 0;  // 0: the end
};

std::vector<std::filesystem::path> outputs(const TraceOptions& options) {
  std::vector<std::filesystem::path> files;
  for (const auto* file :
       {&options.perfetto, &options.csv, &options.dramsys, &options.ramulator, &options.vcd}) {
    if (!file->empty()) files.push_back(*file);
  }
  if (files.empty()) {
    throw std::runtime_error(
        "nothing to write: at least one of --out, --transactions, --dramsys, --ramulator, "
        "--vcd is needed");
  }
  return files;
}

experiment::RunSpec& run_of(experiment::Scenario& scenario, const std::string& wanted) {
  std::vector<std::string> names;
  for (experiment::RunSpec& run : scenario.runs) {
    if (run.name == wanted || (wanted.empty() && scenario.runs.size() == 1)) return run;
    names.push_back(run.name);
  }
  throw std::runtime_error((wanted.empty() ? "--run: one of several runs has to be named"
                                           : "--run: no run \"" + wanted + '"') +
                           "; allowed: " + reading::joined(names));
}

int layer_of(const network::IntegerNetwork& network, const std::string& wanted) {
  if (wanted.empty()) return trace::every_layer;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (network.layers[i].name == wanted) return static_cast<int>(i);
    names.push_back(network.layers[i].name);
  }
  throw std::runtime_error("--layer: no layer \"" + wanted +
                           "\"; allowed: " + reading::joined(names));
}

void make_trace(const TraceOptions& options) {
  const support::ReservedOutputs reserved(outputs(options), {options.scenario});
  experiment::Scenario scenario = experiment::read_scenario(options.scenario, options.settings);
  experiment::RunSpec& run = run_of(scenario, options.run);
  experiment::for_run(run, [&] {
    const experiment::Package package = experiment::package_of(run, options.package);
    const int layer = layer_of(package.network, options.layer);
    trace::Recorder recorder;
    std::vector<std::string> initiators;
    std::unique_ptr<support::WorkFolder> folder;
    std::unique_ptr<trace::VcdTrace> vcd;
    const experiment::TimedImage image = experiment::time_one_image(
        run, package.network, options.image, options.package.data_root,
        [&](models::Platform& platform) {
          recorder.attach(platform);
          if (!options.vcd.empty()) {
            folder = std::make_unique<support::WorkFolder>(
                std::filesystem::absolute(options.vcd).parent_path(), ".abacus-trace");
            vcd = std::make_unique<trace::VcdTrace>(platform, options.signals, folder->path());
          }
          for (int i = 0; i < 4; ++i) initiators.push_back(platform.bus_initiator(i));
        });
    const trace::Names names{
        [&](int i) {
          return i < 0 ? std::string()
                       : package.network.layers.at(static_cast<std::size_t>(i)).name;
        },
        [&](int i) { return initiators.at(static_cast<std::size_t>(i)); }};
    const trace::Recording& recording = recorder.recording();
    const auto write = [](const std::filesystem::path& file, const auto& content) {
      if (!file.empty()) support::write_output(file, content);
    };
    write(options.perfetto, [&](std::ostream& out) {
      trace::write_perfetto(out, recording, names, run.hardware,
                            run.name + ", image " + std::to_string(options.image), layer);
    });
    write(options.csv,
          [&](std::ostream& out) { trace::write_csv(out, recording, names, run.hardware); });
    write(options.dramsys,
          [&](std::ostream& out) { trace::write_dramsys(out, recording, run.hardware); });
    write(options.ramulator,
          [&](std::ostream& out) { trace::write_ramulator(out, recording, run.hardware); });
    if (vcd != nullptr) {
      const double last_us = static_cast<double>(image.cycles) / run.hardware.clock_mhz;
      const double to_us = options.to_us > 0 ? options.to_us : last_us;
      if (!(options.from_us < to_us && options.from_us < last_us)) {
        throw std::runtime_error("--from is " + std::to_string(options.from_us) + " us, --to " +
                                 std::to_string(to_us) + "; the image takes " +
                                 std::to_string(last_us) + " us, and --from must lie before --to");
      }
      const auto time = [](double us) { return sc_core::sc_time(us, sc_core::SC_US); };
      write(options.vcd, [&](std::ostream& out) {
        vcd->write(out, recording.start, time(options.from_us), time(std::min(to_us, last_us)));
      });
    }
    std::printf("run \"%s\", image %lld: %lld cycles, %zu commands, %zu bus transactions\n",
                run.name.c_str(), static_cast<long long>(options.image),
                static_cast<long long>(image.cycles), recording.commands.size(),
                recording.transactions.size());
    for (const std::filesystem::path& file : outputs(options)) std::printf("%s\n", file.c_str());
  });
}

}  // namespace

void add_trace_command(CLI::App& app) {
  auto options = std::make_shared<TraceOptions>();
  CLI::App* command = app.add_subcommand(
      "trace", "Write down what units, bus and DRAM do while one image of a run is simulated");
  add_scenario(*command, options->scenario, options->settings);
  command->add_option("--run", options->run, "Which run; may be left out where there is one");
  add_integer(*command, "--image", options->image, "Index of the image", {0, 1'000'000});
  CLI::Option* out =
      command->add_option("--out", options->perfetto, "Perfetto trace (https://ui.perfetto.dev)");
  command->add_option("--layer", options->layer, "With --out: show what serves this layer only")
      ->needs(out);
  command->add_option("--transactions", options->csv, "Bus transactions as CSV");
  command->add_option("--dramsys", options->dramsys, "DRAM requests as a DRAMSys trace (.stl)");
  command->add_option("--ramulator", options->ramulator,
                      "DRAM requests as a Ramulator 2 trace (LoadStoreTrace)");
  CLI::Option* vcd = command->add_option("--vcd", options->vcd,
                                         "Signals as VCD, for wave viewers such as GTKWave");
  command
      ->add_option("--signals", options->signals,
                   "With --vcd: these only; * stands for any text: compute.*, tokens.3")
      ->needs(vcd);
  command
      ->add_option("--from", options->from_us, "With --vcd: from here on, in us after the doorbell")
      ->needs(vcd)
      ->check(CLI::NonNegativeNumber);
  command->add_option("--to", options->to_us, "With --vcd: up to here, in us; default: the end")
      ->needs(vcd)
      ->check(CLI::PositiveNumber);
  add_folders(*command, options->package.data_root, options->package.cache);
  command->callback([options] {
    support::catch_stop_signals();
    options->package.quiet = true;
    make_trace(*options);
    throw CommandExit{0};
  });
}

}  // namespace abacus::cli
