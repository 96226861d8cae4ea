#include "sw/cli/activations_command.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/cli/run_options.hpp"
#include "sw/network/checkpoint.hpp"
#include "sw/network/keep_first.hpp"
#include "sw/quant/simulate/activation_comparison.hpp"
#include "sw/support/atomic_file.hpp"
#include "sw/support/progress.hpp"

namespace abacus {
namespace {

struct Arguments {
  std::string checkpoint;
  std::string package;
  std::vector<std::string> histograms;
  std::string split = "validation";
  std::int64_t images = 200;
  std::string data;
  std::string out;
  int threads = 0;
};

// layer,ends_block,quantity,statistic,from,to,value
class Table {
 public:
  explicit Table(std::ostream& out) : out_(out) {
    out_ << "layer,ends_block,quantity,statistic,from,to,value\n";
    out_.precision(9);
  }
  void begin(const ComparedLayer& layer) {
    start_ = layer.name + (layer.has_residual ? ",yes," : ",no,");
  }
  void value(const char* quantity, const char* statistic, double value) {
    out_ << start_ << quantity << ',' << statistic << ",,," << value << '\n';
  }
  void statistics(const char* quantity, const ImageStatistics& of) {
    value(quantity, "mean", of.mean());
    value(quantity, "deviation", of.deviation());
    value(quantity, "lowest", of.lowest());
    value(quantity, "highest", of.highest());
  }
  void counts(const char* quantity, const ValueCounts& of) {
    for (std::size_t i = 0; i < of.counts.size(); ++i) {
      const double from = of.first + static_cast<double>(i) * of.width;
      out_ << start_ << quantity << ",histogram," << from << ',' << from + of.width << ','
           << of.counts[i] << '\n';
    }
  }

 private:
  std::ostream& out_;
  std::string start_;
};

std::set<std::string> chosen_layers(const IntegerNetwork& package,
                                    const std::vector<std::string>& names) {
  std::set<std::string> known, chosen;
  std::string allowed = "all";
  for (const IntegerLayer& layer : package.layers) {
    if (known.insert(layer.name).second) allowed += ", " + layer.name;
  }
  for (const std::string& name : names) {
    if (name == "all") return known;
    if (known.count(name) == 0) {
      throw std::runtime_error("--histogram: found " + name + "; allowed: " + allowed);
    }
    chosen.insert(name);
  }
  return chosen;
}

void run(const Arguments& arguments) {
  const Checkpoint checkpoint = load_checkpoint(arguments.checkpoint);
  const IntegerNetwork package = read_package(arguments.package);
  if (package.origin.network != checkpoint.network.name ||
      package.origin.dataset != checkpoint.dataset) {
    throw std::runtime_error(arguments.package + ": a package of " + package.origin.network +
                             " for " + package.origin.dataset +
                             "; allowed: " + checkpoint.network.name + " for " +
                             checkpoint.dataset + ", as " + arguments.checkpoint);
  }
  const std::set<std::string> chosen = chosen_layers(package, arguments.histograms);
  prepare_torch(arguments.threads);
  Dataset images = load_dataset(checkpoint.dataset,
                                arguments.split == "train" ? Split::train : Split::validation,
                                data_root(arguments.data, checkpoint.dataset));
  keep_first(images, arguments.images);
  FloatNetwork network(checkpoint.network, checkpoint.tensors);
  Progress progress("comparison", images.count());
  const std::vector<ComparedLayer> layers =
      compare_activations(package, network, checkpoint.normalization, images,
                          [&](std::int64_t done) { progress.update(done); });
  write_file_atomically(arguments.out, [&](std::ostream& out) {
    Table table(out);
    for (const ComparedLayer& layer : layers) {
      table.begin(layer);
      table.statistics("output_norm", layer.output_norm);
      table.statistics("output_error", layer.output_error);
      if (!layer.quantizes) continue;
      table.value("step", "value", layer.step);
      table.statistics("step_factor", layer.step_factor);
      table.statistics("input_norm", layer.input_norm);
      table.statistics("input_error", layer.input_error);
      table.statistics("common_step_error", layer.common_step_error);
      table.statistics("own_step_error", layer.own_step_error);
      table.statistics("own_step_factor", layer.own_step_factor);
      table.statistics("levels_used", layer.levels_used);
      table.counts("level", layer.levels);
      if (chosen.count(layer.name) == 0) continue;
      table.counts("stored", layer.stored);
      table.counts("quantized", layer.quantized);
    }
  });
  std::printf("%s: %zu layers, %lld images\n", arguments.out.c_str(), layers.size(),
              static_cast<long long>(images.count()));
}

}  // namespace

void add_activations_command(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "activations",
      "Run a checkpoint and a package of it side by side; write each layer's errors as a CSV file");
  command->add_option("--checkpoint", arguments->checkpoint, "Float checkpoint (.safetensors)")
      ->required();
  command->add_option("--package", arguments->package, "Integer network package (.safetensors)")
      ->required();
  command->add_option("--histogram", arguments->histograms,
                      "Layer whose activations' histograms are wanted, before and after its read "
                      "quantizer, or all; may be repeated");
  command->add_option("--split", arguments->split, "Whose images, plain ones; never test images")
      ->check(CLI::IsMember({"validation", "train"}))
      ->capture_default_str();
  command->add_option("--images", arguments->images, "The first so many of them")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  add_run_options(*command, arguments->data, arguments->threads);
  command->add_option("--out", arguments->out, "File to write (.csv)")->required();
  command->callback([arguments] { run(*arguments); });
}

}  // namespace abacus
