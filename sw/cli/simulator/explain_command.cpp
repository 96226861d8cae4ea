#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/cli/shared/command_exit.hpp"
#include "sw/cli/shared/json_output.hpp"
#include "sw/cli/simulator/commands.hpp"
#include "sw/cli/simulator/scenario_option.hpp"
#include "sw/experiment/json_number.hpp"
#include "sw/experiment/layer_waits.hpp"
#include "sw/experiment/one_image.hpp"
#include "sw/experiment/run_errors.hpp"
#include "sw/experiment/run_inputs.hpp"
#include "sw/experiment/scenario.hpp"
#include "sw/experiment/spent_json.hpp"
#include "sw/reading/section.hpp"
#include "sw/schedule/explanation.hpp"
#include "sw/support/forked_work.hpp"
#include "sw/support/stop_request.hpp"

namespace abacus::cli {
namespace {

struct ExplainOptions {
  std::filesystem::path scenario;     // "-": the standard input
  std::vector<std::string> settings;  // KEY=VALUE, as read_scenario() takes them
  std::string run;
  std::string layer;
  experiment::PackageOptions package;
  bool json = false;
};

std::string text(const schedule::TilingSummary& tiling) {
  std::string text = std::to_string(tiling.spatial_tiles) + " x " +
                     std::to_string(tiling.column_tiles) + " tiles of " +
                     std::to_string(tiling.rows) + (tiling.rows == 1 ? " row" : " rows");
  if (tiling.columns != 0) text += " and " + std::to_string(tiling.columns) + " channels";
  if (tiling.spatial_tiles > 1 && tiling.column_tiles > 1) {
    text += ", " + schedule::to_string(tiling.order);
  }
  if (tiling.buffers > 1) text += ", double buffers";
  return text;
}

constexpr double kib = 1024;

std::string text(const std::vector<experiment::CauseCycles>& causes) {
  std::string text;
  for (const experiment::CauseCycles& entry : causes) {
    text += (text.empty() ? "" : ", ") + models::to_string(entry.cause) + ' ' +
            std::to_string(std::llround(entry.cycles));
  }
  return text;
}

void print_layer(const schedule::LayerExplanation& layer, const experiment::LayerWaits& waits) {
  std::printf("%s, on the %s\n", layer.name.c_str(), layer.unit.c_str());
  std::printf("  input      %s\n", layer.input.c_str());
  if (!layer.residual.empty()) std::printf("  residual   %s\n", layer.residual.c_str());
  std::printf("  output     %s\n", layer.output.c_str());
  std::printf("  chosen     %s\n", text(layer.chosen).c_str());
  std::printf("  estimate   %.0f cycles, %.1f KiB; limit: %s\n", layer.chosen.cost.cycles,
              layer.chosen.cost.bytes / kib, layer.limit.c_str());
  if (layer.next_best) {
    const schedule::TilingCost& next = layer.next_best->cost;
    std::printf("  next best  %s: %+.0f cycles, %+.1f KiB\n", text(*layer.next_best).c_str(),
                next.cycles - layer.chosen.cost.cycles,
                (next.bytes - layer.chosen.cost.bytes) / kib);
  } else {
    std::printf("  next best  none fits\n");
  }
  std::printf("  measured   %.0f cycles, bound by %s\n", waits.cycles, waits.binding().c_str());
  std::printf("  compute    %s\n", text(waits.compute).c_str());
  if (!waits.load.empty()) std::printf("  load       %s\n", text(waits.load).c_str());
  if (!waits.store.empty()) std::printf("  store      %s\n", text(waits.store).c_str());
}

nlohmann::ordered_json to_json(const schedule::TilingSummary& tiling) {
  return {{"spatial_tiles", tiling.spatial_tiles},
          {"rows", tiling.rows},
          {"column_tiles", tiling.column_tiles},
          {"columns", tiling.columns},
          {"order", schedule::to_string(tiling.order)},
          {"buffers", tiling.buffers},
          {"cycles", tiling.cost.cycles},
          {"bytes", tiling.cost.bytes}};
}

nlohmann::ordered_json to_json(const schedule::LayerExplanation& layer) {
  nlohmann::ordered_json json = {{"name", layer.name},
                                 {"unit", layer.unit},
                                 {"input", layer.input},
                                 {"residual", nullptr},
                                 {"output", layer.output},
                                 {"limit", layer.limit},
                                 {"chosen", to_json(layer.chosen)},
                                 {"next_best", nullptr}};
  if (!layer.residual.empty()) json["residual"] = layer.residual;
  if (layer.next_best) json["next_best"] = to_json(*layer.next_best);
  return json;
}

// What is known of a run.
struct ExplainedRun {
  std::vector<schedule::LayerExplanation> layers;
  std::vector<std::size_t> wanted;  // of them
  experiment::TimedImage image;     // where any is wanted
};

// In a process of its own: one process elaborates one platform after the other only if it does not return
// from SystemC's main function.
experiment::TimedImage measured(const experiment::RunSpec& run,
                                const network::IntegerNetwork& network,
                                const std::filesystem::path& data_root) {
  const nlohmann::json told = support::run_forked(
      1,
      [&](int, const support::Report&) {
        experiment::RunOutcome outcome;
        outcome.timed.push_back(experiment::time_one_image(run, network, 0, data_root));
        return experiment::to_json(outcome);
      },
      [](std::int64_t) {})[0];
  return experiment::outcome_from_json(told).timed.at(0);
}

ExplainedRun explained(experiment::RunSpec& run, const ExplainOptions& options) {
  return experiment::for_run(run, [&] {
    const experiment::Package package = experiment::package_of(run, options.package);
    ExplainedRun known;
    known.layers = schedule::explain(package.network, run.hardware);
    for (std::size_t i = 0; i < known.layers.size(); ++i) {
      if (options.layer.empty() || known.layers[i].name == options.layer) known.wanted.push_back(i);
    }
    if (!known.wanted.empty()) {
      known.image = measured(run, package.network, options.package.data_root);
    }
    return known;
  });
}

nlohmann::ordered_json run_json(const ExplainedRun& run, const std::string& name) {
  schedule::TilingCost all;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const std::size_t i : run.wanted) {
    all += run.layers[i].chosen.cost;
    const int layer = static_cast<int>(i);
    const experiment::LayerWaits waits = experiment::layer_waits(run.image, layer);
    list.push_back(to_json(run.layers[i]));
    list.back()["measured"] = {{"cycles", experiment::number(waits.cycles)},
                               {"binding", waits.binding()},
                               {"spent_cycles", experiment::spent_json(run.image.spent, layer)}};
  }
  return {{"name", name},
          {"layers", list},
          {"cycles", all.cycles},
          {"bytes", all.bytes},
          {"measured_cycles", run.image.cycles}};
}

void print_run(const ExplainedRun& run, const std::string& name) {
  std::printf("run \"%s\"\n\n", name.c_str());
  schedule::TilingCost all;
  for (const std::size_t i : run.wanted) {
    all += run.layers[i].chosen.cost;
    print_layer(run.layers[i], experiment::layer_waits(run.image, static_cast<int>(i)));
  }
  std::printf("estimated %.0f cycles, %.1f KiB to and from DRAM an image\n", all.cycles,
              all.bytes / kib);
  std::printf("measured %lld cycles an image, of all layers\n\n",
              static_cast<long long>(run.image.cycles));
}

void explain(const ExplainOptions& options) {
  experiment::Scenario scenario = experiment::read_scenario(options.scenario, options.settings);
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  std::string names;
  std::vector<std::string> layer_names;
  bool found = false;
  bool any = false;
  for (experiment::RunSpec& run : scenario.runs) {
    names += (names.empty() ? "" : ", ") + run.name;
    if (!options.run.empty() && run.name != options.run) continue;
    found = true;
    const ExplainedRun known = explained(run, options);
    for (const schedule::LayerExplanation& layer : known.layers) {
      if (std::find(layer_names.begin(), layer_names.end(), layer.name) == layer_names.end()) {
        layer_names.push_back(layer.name);
      }
    }
    if (known.wanted.empty()) continue;
    any = true;
    if (options.json) {
      runs.push_back(run_json(known, run.name));
    } else {
      print_run(known, run.name);
    }
  }
  if (!found) {
    throw std::runtime_error("--run: no run \"" + options.run + "\"; allowed: " + names);
  }
  if (!any) {
    throw std::runtime_error("--layer: no layer \"" + options.layer +
                             "\"; allowed: " + reading::joined(layer_names));
  }
  if (options.json) print_json("explain", {{"runs", runs}});
}

}  // namespace

void add_explain_command(CLI::App& app) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* command = app.add_subcommand("explain",
                                         "Say what the scheduler chose for each layer, what it "
                                         "costs by its estimate and by one image's run, "
                                         "and what holds it up");
  add_scenario(*command, options->scenario, options->settings);
  command->add_option("--run", options->run, "This run only; default: all of the scenario's");
  command->add_option("--layer", options->layer, "This layer only");
  add_folders(*command, options->package.data_root, options->package.cache);
  add_json_option(*command, options->json);
  command->callback([options] {
    support::catch_stop_signals();
    options->package.quiet = true;
    explain(*options);
    throw CommandExit{0};
  });
}

}  // namespace abacus::cli
