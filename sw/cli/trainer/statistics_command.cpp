#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/cli/shared/integer_option.hpp"
#include "sw/cli/shared/json_output.hpp"
#include "sw/cli/trainer/commands.hpp"
#include "sw/cli/trainer/run_options.hpp"
#include "sw/network/checkpoint.hpp"
#include "sw/network/dataset_match.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/support/output_file.hpp"
#include "sw/support/progress.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/processor.hpp"
#include "sw/train/shift_functions.hpp"

namespace abacus::cli {
namespace {

struct Arguments {
  std::string checkpoint;
  std::vector<std::string> histograms;
  int bins = 2000;
  std::int64_t images = 1000;
  std::uint64_t seed = 1;
  std::string data;
  std::string out;
  int threads = train::default_threads;
  bool json = false;
};

// Shares of a batch's activations of which the range is wanted; AdderQuant's alpha is one of them.
constexpr double kShares[] = {0.5, 0.9, 0.99, 0.999, 0.9999};

struct Histogram {
  double lowest = 0;
  double highest = 0;
  std::vector<std::int64_t> counts;

  Histogram() = default;
  Histogram(double from, double to, int bins)
      : lowest(from), highest(to), counts(static_cast<std::size_t>(bins), 0) {}
  double edge(std::size_t bin) const {
    return lowest +
           (highest - lowest) * static_cast<double>(bin) / static_cast<double>(counts.size());
  }
  void add(const float* values, std::int64_t count) {
    const double bins_a_unit =
        highest > lowest ? static_cast<double>(counts.size()) / (highest - lowest) : 0;
    const auto last = static_cast<std::int64_t>(counts.size()) - 1;
    for (std::int64_t i = 0; i < count; ++i) {
      const auto bin = static_cast<std::int64_t>((double{values[i]} - lowest) * bins_a_unit);
      ++counts[static_cast<std::size_t>(std::clamp<std::int64_t>(bin, 0, last))];
    }
  }
};

// A convolution with what is watched of its inputs.
struct WatchedLayer {
  std::string name;
  hw::TapKind arithmetic = network::Arithmetic::cnn;
  bool has_negative = false;
  double maximum = 0;
  std::vector<double> quantiles = std::vector<double>(std::size(kShares), 0);
  Histogram histogram;
};

using Watched = std::map<int, WatchedLayer>;  // by index into Network::layers

Watched convolutions(const network::Network& network) {
  Watched watched;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const network::Layer& layer = network.layers[i];
    if (!layer.is<network::Convolution>()) continue;
    watched[static_cast<int>(i)].name = layer.name;
    watched[static_cast<int>(i)].arithmetic = layer.convolution().arithmetic;
  }
  return watched;
}

// The layers whose histograms are wanted; all of them for "all".
std::set<std::string> chosen_layers(const Watched& watched, const std::vector<std::string>& names) {
  std::set<std::string> known;
  for (const auto& [index, layer] : watched) known.insert(layer.name);
  std::set<std::string> chosen;
  for (const std::string& name : names) {
    if (name == "all") return known;
    if (known.count(name) == 0) {
      std::string allowed = "all";
      for (const std::string& one : known) allowed += ", " + one;
      throw std::runtime_error("--histogram: found " + name + "; allowed: " + allowed);
    }
    chosen.insert(name);
  }
  return chosen;
}

// Runs the images through the network and shows `look` each convolution's inputs.
void watch(train::FloatNetwork& network, Watched& watched, const quant::CalibrationData& data,
           std::int64_t images, const std::string& stage,
           const std::function<void(WatchedLayer&, const float*, std::int64_t)>& look) {
  torch::NoGradGuard no_gradient;
  train::ForwardHooks hooks;
  hooks.before = [&](int layer, std::vector<torch::Tensor>& inputs) {
    const auto found = watched.find(layer);
    if (found == watched.end()) return;
    const torch::Tensor values = inputs[0].contiguous();
    look(found->second, values.data_ptr<float>(), values.numel());
  };
  support::Progress progress(stage, images);
  quant::for_each_batch(
      data, images, [&](const torch::Tensor& batch) { network.forward(batch, hooks); },
      [&](std::int64_t done) { progress.update(done); });
}

// Of one tensor; what was not asked for is empty.
struct TensorStatistics {
  std::optional<double> maximum;
  std::vector<double> quantiles;       // of kShares
  std::vector<double> channel_maxima;  // of weights, one an output channel
  Histogram histogram;
};

struct LayerStatistics {
  std::string name;
  network::Arithmetic arithmetic = network::Arithmetic::cnn;
  TensorStatistics activation, weight;
  TensorStatistics
      weight_relative;  // to the channel's largest: what a scale for each makes of them
};

LayerStatistics statistics_of(const WatchedLayer& layer, const torch::Tensor& parameter,
                              bool with_histogram, int bins) {
  LayerStatistics of;
  of.name = layer.name;
  of.arithmetic = layer.arithmetic;
  of.activation = {layer.maximum, layer.quantiles, {}, layer.histogram};

  const torch::Tensor weights = parameter.detach().contiguous();
  const torch::Tensor rows = weights.reshape({weights.size(0), -1});
  const torch::Tensor maxima = std::get<0>(rows.abs().max(1)).contiguous();
  const double maximum = maxima.max().item<double>();
  of.weight.maximum = maximum;
  for (const double share : kShares) {
    of.weight.quantiles.push_back(static_cast<double>(
        quant::magnitude_quantile(weights.data_ptr<float>(), weights.numel(), share)));
  }
  of.weight.channel_maxima.assign(maxima.data_ptr<float>(),
                                  maxima.data_ptr<float>() + maxima.numel());
  if (!with_histogram) return of;
  of.weight.histogram = Histogram(-maximum, maximum, bins);
  of.weight.histogram.add(weights.data_ptr<float>(), weights.numel());
  const torch::Tensor relative = (rows / maxima.clamp_min(1e-30).unsqueeze(1)).contiguous();
  of.weight_relative.histogram = Histogram(-1, 1, bins);
  of.weight_relative.histogram.add(relative.data_ptr<float>(), relative.numel());
  return of;
}

// Lines layer,arithmetic,tensor,statistic,from,to,value.
class CsvWriter {
 public:
  explicit CsvWriter(std::ostream& out) : out_(out) {
    out_ << "layer,arithmetic,tensor,statistic,from,to,value\n";
    out_.precision(9);
  }
  void write(const LayerStatistics& layer) {
    write(layer, "activation", layer.activation);
    write(layer, "weight", layer.weight);
    write(layer, "weight_relative", layer.weight_relative);
  }

 private:
  void write(const LayerStatistics& layer, const char* name, const TensorStatistics& tensor) {
    const std::string start =
        layer.name + ',' + network::to_string(layer.arithmetic) + ',' + name + ',';
    if (tensor.maximum) out_ << start << "maximum,,," << *tensor.maximum << '\n';
    for (std::size_t i = 0; i < tensor.quantiles.size(); ++i) {
      out_ << start << "quantile," << kShares[i] << ",," << tensor.quantiles[i] << '\n';
    }
    for (std::size_t channel = 0; channel < tensor.channel_maxima.size(); ++channel) {
      out_ << start << "channel_maximum," << channel << ",," << tensor.channel_maxima[channel]
           << '\n';
    }
    const Histogram& histogram = tensor.histogram;
    for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin) {
      if (histogram.counts[bin] == 0) continue;
      out_ << start << "histogram," << histogram.edge(bin) << ',' << histogram.edge(bin + 1) << ','
           << histogram.counts[bin] << '\n';
    }
  }

  std::ostream& out_;
};

using Json = nlohmann::ordered_json;

Json to_json(const TensorStatistics& tensor) {
  Json json = Json::object();
  if (tensor.maximum) json["maximum"] = nine_digits(*tensor.maximum);
  for (std::size_t i = 0; i < tensor.quantiles.size(); ++i) {
    json["quantiles"].push_back(
        {{"share", kShares[i]}, {"magnitude", nine_digits(tensor.quantiles[i])}});
  }
  for (const double maximum : tensor.channel_maxima) {
    json["channel_maxima"].push_back(nine_digits(maximum));
  }
  const Histogram& histogram = tensor.histogram;
  for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin) {
    if (histogram.counts[bin] == 0) continue;
    json["histogram"].push_back(
        Json::array({nine_digits(histogram.edge(bin)), nine_digits(histogram.edge(bin + 1)),
                     histogram.counts[bin]}));
  }
  return json;
}

Json to_json(const LayerStatistics& layer) {
  return {{"layer", layer.name},
          {"arithmetic", network::to_string(layer.arithmetic)},
          {"activation", to_json(layer.activation)},
          {"weight", to_json(layer.weight)},
          {"weight_relative", to_json(layer.weight_relative)}};
}

void print_statistics(const Arguments& arguments, const std::vector<LayerStatistics>& layers) {
  Json list = Json::array();
  for (const LayerStatistics& layer : layers) list.push_back(to_json(layer));
  print_json("statistics", {{"checkpoint", arguments.checkpoint},
                            {"images", arguments.images},
                            {"seed", arguments.seed},
                            {"layers", list}});
}

void run(const Arguments& arguments) {
  require_file_or_json(arguments.out, arguments.json);
  const support::ReservedOutputs reserved(support::given(arguments.out), {arguments.checkpoint});
  const network::Checkpoint checkpoint = network::load_checkpoint(arguments.checkpoint);
  network::known_dataset(arguments.checkpoint, checkpoint.dataset);
  Watched watched = convolutions(checkpoint.network);
  const std::set<std::string> chosen = chosen_layers(watched, arguments.histograms);
  const network::Dataset training =
      network::load_dataset(checkpoint.dataset, network::Split::train,
                            network::data_root(arguments.data, checkpoint.dataset));
  network::check_images(arguments.checkpoint, checkpoint.network, training);
  train::prepare_torch(arguments.threads);
  train::FloatNetwork network(checkpoint.network, checkpoint.tensors);
  network.set_batch_norm_mode(train::BatchNormMode::inference);
  const quant::CalibrationData data{training, checkpoint.normalization, {}, arguments.seed};

  watch(network, watched, data, arguments.images, "ranges",
        [](WatchedLayer& layer, const float* values, std::int64_t count) {
          const auto [lowest, highest] = std::minmax_element(values, values + count);
          layer.has_negative = layer.has_negative || *lowest < 0;
          layer.maximum = std::max({layer.maximum, -double{*lowest}, double{*highest}});
          for (std::size_t i = 0; i < std::size(kShares); ++i) {
            layer.quantiles[i] =
                std::max(layer.quantiles[i],
                         static_cast<double>(quant::magnitude_quantile(values, count, kShares[i])));
          }
        });
  if (!chosen.empty()) {
    for (auto& [index, layer] : watched) {
      if (chosen.count(layer.name) == 0) continue;
      layer.histogram =
          Histogram(layer.has_negative ? -layer.maximum : 0, layer.maximum, arguments.bins);
    }
    watch(network, watched, data, arguments.images, "histograms",
          [](WatchedLayer& layer, const float* values, std::int64_t count) {
            if (!layer.histogram.counts.empty()) layer.histogram.add(values, count);
          });
  }

  std::vector<LayerStatistics> layers;
  for (const auto& [index, layer] : watched) {
    const torch::Tensor weights =
        layer.arithmetic == network::Arithmetic::shift
            ? train::shift_weight(network.parameter(layer.name + ".exponent"),
                                  network.parameter(layer.name + ".sign"))
            : network.parameter(layer.name + ".weight");
    layers.push_back(statistics_of(layer, weights, chosen.count(layer.name) != 0, arguments.bins));
  }
  if (arguments.json) return print_statistics(arguments, layers);
  support::write_output(arguments.out, [&](std::ostream& out) {
    CsvWriter writer(out);
    for (const LayerStatistics& layer : layers) writer.write(layer);
  });
  std::printf("%s: %zu layers, %lld training images\n", arguments.out.c_str(), watched.size(),
              static_cast<long long>(arguments.images));
}

}  // namespace

void add_statistics_command(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "statistics",
      "Write the ranges and histograms of a checkpoint's activations and weights as a CSV file");
  command->add_option("--checkpoint", arguments->checkpoint, "Checkpoint (.safetensors)")
      ->required();
  command->add_option("--histogram", arguments->histograms,
                      "Layer whose histograms are wanted, or all; may be repeated");
  add_integer(*command, "--bins", arguments->bins, "Of a histogram", {2, 1'000'000});
  add_integer(*command, "--images", arguments->images, "Training images, plain ones",
              {1, 1'000'000});
  add_integer(*command, "--seed", arguments->seed, "Of the images' choice", {});
  add_run_options(*command, arguments->data, arguments->threads);
  add_file_or_json(*command, arguments->out, arguments->json);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace abacus::cli
