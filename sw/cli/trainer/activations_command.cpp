#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sw/cli/shared/integer_option.hpp"
#include "sw/cli/shared/json_output.hpp"
#include "sw/cli/trainer/commands.hpp"
#include "sw/cli/trainer/run_options.hpp"
#include "sw/network/checkpoint.hpp"
#include "sw/network/dataset_match.hpp"
#include "sw/network/keep_first.hpp"
#include "sw/quant/simulate/activation_comparison.hpp"
#include "sw/support/output_file.hpp"
#include "sw/support/progress.hpp"
#include "sw/train/processor.hpp"

namespace abacus::cli {
namespace {

struct Arguments {
  std::string checkpoint;
  std::string package;
  std::vector<std::string> histograms;
  std::string split = "validation";
  std::int64_t images = 200;
  std::string data;
  std::string out;
  int threads = train::default_threads;
  bool json = false;
};

// Lines layer,ends_block,quantity,statistic,from,to,value.
class CsvWriter {
 public:
  explicit CsvWriter(std::ostream& out) : out_(out) {
    out_ << "layer,ends_block,quantity,statistic,from,to,value\n";
    out_.precision(9);
  }
  void begin(const quant::ComparedLayer& layer) {
    start_ = layer.name + (layer.has_residual ? ",yes," : ",no,");
  }
  void value(const char* quantity, double value) { line(quantity, "value", value); }
  void statistics(const char* quantity, const quant::ImageStatistics& of) {
    line(quantity, "mean", of.mean());
    line(quantity, "deviation", of.deviation());
    line(quantity, "lowest", of.lowest());
    line(quantity, "highest", of.highest());
  }
  void counts(const char* quantity, const quant::ValueCounts& of) {
    for (std::size_t i = 0; i < of.counts.size(); ++i) {
      const double from = of.first + static_cast<double>(i) * of.width;
      out_ << start_ << quantity << ",histogram," << from << ',' << from + of.width << ','
           << of.counts[i] << '\n';
    }
  }

 private:
  void line(const char* quantity, const char* statistic, double value) {
    out_ << start_ << quantity << ',' << statistic << ",,," << value << '\n';
  }

  std::ostream& out_;
  std::string start_;
};

// A list of layers with their quantities by name.
class JsonWriter {
 public:
  using Json = nlohmann::ordered_json;

  void begin(const quant::ComparedLayer& layer) {
    layers_.push_back({{"layer", layer.name},
                       {"ends_block", layer.has_residual},
                       {"quantizes", layer.quantizes},
                       {"histograms", Json::object()}});
  }
  void value(const char* quantity, double value) { layers_.back()[quantity] = nine_digits(value); }
  void statistics(const char* quantity, const quant::ImageStatistics& of) {
    layers_.back()[quantity] = {{"mean", nine_digits(of.mean())},
                                {"deviation", nine_digits(of.deviation())},
                                {"lowest", nine_digits(of.lowest())},
                                {"highest", nine_digits(of.highest())}};
  }
  void counts(const char* quantity, const quant::ValueCounts& of) {
    Json bins = Json::array();
    for (std::size_t i = 0; i < of.counts.size(); ++i) {
      const double from = of.first + static_cast<double>(i) * of.width;
      bins.push_back(Json::array({nine_digits(from), nine_digits(from + of.width), of.counts[i]}));
    }
    layers_.back()["histograms"][quantity] = std::move(bins);
  }
  const Json& layers() const { return layers_; }

 private:
  Json layers_ = Json::array();
};

// `chosen`: by name, the layers with histograms of their activations.
template <typename Writer>
void write(const std::vector<quant::ComparedLayer>& layers, const std::set<std::string>& chosen,
           Writer& writer) {
  for (const quant::ComparedLayer& layer : layers) {
    writer.begin(layer);
    writer.statistics("output_norm", layer.output_norm);
    writer.statistics("output_error", layer.output_error);
    if (!layer.quantizes) continue;
    writer.value("step", layer.step);
    writer.statistics("step_factor", layer.step_factor);
    writer.statistics("input_norm", layer.input_norm);
    writer.statistics("input_error", layer.input_error);
    writer.statistics("common_step_error", layer.common_step_error);
    writer.statistics("own_step_error", layer.own_step_error);
    writer.statistics("own_step_factor", layer.own_step_factor);
    writer.statistics("levels_used", layer.levels_used);
    writer.counts("level", layer.levels);
    if (chosen.count(layer.name) == 0) continue;
    writer.counts("stored", layer.stored);
    writer.counts("quantized", layer.quantized);
  }
}

std::set<std::string> chosen_layers(const network::IntegerNetwork& package,
                                    const std::vector<std::string>& names) {
  std::set<std::string> known, chosen;
  std::string allowed = "all";
  for (const network::IntegerLayer& layer : package.layers) {
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
  require_file_or_json(arguments.out, arguments.json);
  const support::ReservedOutputs reserved(support::given(arguments.out),
                                          {arguments.checkpoint, arguments.package});
  const network::Checkpoint checkpoint = network::load_checkpoint(arguments.checkpoint);
  const network::IntegerNetwork package = network::read_package(arguments.package);
  if (package.origin.network != checkpoint.network.name ||
      package.origin.dataset != checkpoint.dataset) {
    throw std::runtime_error(arguments.package + ": a package of " + package.origin.network +
                             " for " + package.origin.dataset +
                             "; allowed: " + checkpoint.network.name + " for " +
                             checkpoint.dataset + ", as " + arguments.checkpoint);
  }
  network::known_dataset(arguments.checkpoint, checkpoint.dataset);
  const network::Arithmetic quantized = network::checkpoint_arithmetic(
      package.origin.arithmetic, package.element ? &*package.element : nullptr);
  if (quantized != checkpoint.network.arithmetic) {
    throw std::runtime_error(arguments.package + ": a package of arithmetic " +
                             network::to_string(package.origin.arithmetic) +
                             "; allowed: " + network::to_string(checkpoint.network.arithmetic) +
                             ", as " + arguments.checkpoint);
  }
  const std::set<std::string> chosen = chosen_layers(package, arguments.histograms);
  train::prepare_torch(arguments.threads);
  network::Dataset images = network::load_dataset(
      checkpoint.dataset,
      arguments.split == "train" ? network::Split::train : network::Split::validation,
      network::data_root(arguments.data, checkpoint.dataset));
  network::check_images(arguments.checkpoint, checkpoint.network, images);
  network::check_images(arguments.package, package, images);
  network::keep_first(images, arguments.images);
  train::FloatNetwork network(checkpoint.network, checkpoint.tensors);
  support::Progress progress("comparison", images.count());
  const std::vector<quant::ComparedLayer> layers =
      quant::compare_activations(package, network, checkpoint.normalization, images,
                                 [&](std::int64_t done) { progress.update(done); });
  if (arguments.json) {
    JsonWriter writer;
    write(layers, chosen, writer);
    return print_json("activations", {{"checkpoint", arguments.checkpoint},
                                      {"package", arguments.package},
                                      {"split", arguments.split},
                                      {"images", images.count()},
                                      {"layers", writer.layers()}});
  }
  support::write_output(arguments.out, [&](std::ostream& out) {
    CsvWriter writer(out);
    write(layers, chosen, writer);
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
  add_integer(*command, "--images", arguments->images, "The first so many of them", {1, 1'000'000});
  add_run_options(*command, arguments->data, arguments->threads);
  add_file_or_json(*command, arguments->out, arguments->json);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace abacus::cli
