#include "sw/cli/statistics_command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/cli/run_options.hpp"
#include "sw/network/checkpoint.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/support/atomic_file.hpp"
#include "sw/support/progress.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/shift_functions.hpp"

namespace abacus {
namespace {

struct Arguments {
  std::string checkpoint;
  std::vector<std::string> histograms;
  int bins = 2000;
  std::int64_t images = 1000;
  std::uint64_t seed = 1;
  std::string data;
  std::string out;
  int threads = 0;
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
  TapKind arithmetic = Arithmetic::cnn;
  bool has_negative = false;
  double maximum = 0;
  std::vector<double> quantiles = std::vector<double>(std::size(kShares), 0);
  Histogram histogram;
};

using Watched = std::map<int, WatchedLayer>;  // by index into Network::layers

Watched convolutions(const Network& network) {
  Watched watched;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    if (!layer.is<Convolution>()) continue;
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
void watch(FloatNetwork& network, Watched& watched, const CalibrationData& data,
           std::int64_t images, const std::string& stage,
           const std::function<void(WatchedLayer&, const float*, std::int64_t)>& look) {
  torch::NoGradGuard no_gradient;
  ForwardHooks hooks;
  hooks.before = [&](int layer, std::vector<torch::Tensor>& inputs) {
    const auto found = watched.find(layer);
    if (found == watched.end()) return;
    const torch::Tensor values = inputs[0].contiguous();
    look(found->second, values.data_ptr<float>(), values.numel());
  };
  Progress progress(stage, images);
  for_each_batch(
      data, images, [&](const torch::Tensor& batch) { network.forward(batch, hooks); },
      [&](std::int64_t done) { progress.update(done); });
}

// layer,arithmetic,tensor,statistic,from,to,value
class Table {
 public:
  explicit Table(std::ostream& out) : out_(out) {
    out_ << "layer,arithmetic,tensor,statistic,from,to,value\n";
    out_.precision(9);
  }
  void begin(const WatchedLayer& layer, const char* tensor) {
    start_ = layer.name + ',' + to_string(layer.arithmetic) + ',' + tensor + ',';
  }
  void value(const char* statistic, double value) {
    out_ << start_ << statistic << ",,," << value << '\n';
  }
  void value(const char* statistic, double at, double value) {
    out_ << start_ << statistic << ',' << at << ",," << value << '\n';
  }
  void histogram(const Histogram& histogram) {
    for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin) {
      if (histogram.counts[bin] == 0) continue;
      out_ << start_ << "histogram," << histogram.edge(bin) << ',' << histogram.edge(bin + 1) << ','
           << histogram.counts[bin] << '\n';
    }
  }

 private:
  std::ostream& out_;
  std::string start_;
};

void write_weights(Table& table, const WatchedLayer& layer, const torch::Tensor& parameter,
                   bool with_histogram, int bins) {
  const torch::Tensor weights = parameter.detach().contiguous();
  const torch::Tensor rows = weights.reshape({weights.size(0), -1});
  const torch::Tensor maxima = std::get<0>(rows.abs().max(1)).contiguous();
  const double maximum = maxima.max().item<double>();
  table.begin(layer, "weight");
  table.value("maximum", maximum);
  for (const double share : kShares) {
    table.value(
        "quantile", share,
        static_cast<double>(magnitude_quantile(weights.data_ptr<float>(), weights.numel(), share)));
  }
  for (std::int64_t channel = 0; channel < maxima.numel(); ++channel) {
    table.value("channel_maximum", static_cast<double>(channel),
                static_cast<double>(maxima.data_ptr<float>()[channel]));
  }
  if (!with_histogram) return;
  Histogram histogram(-maximum, maximum, bins);
  histogram.add(weights.data_ptr<float>(), weights.numel());
  table.histogram(histogram);

  // Relative to the channel's own largest: what a scale for each output channel makes of them.
  const torch::Tensor relative = (rows / maxima.clamp_min(1e-30).unsqueeze(1)).contiguous();
  Histogram of_relative(-1, 1, bins);
  of_relative.add(relative.data_ptr<float>(), relative.numel());
  table.begin(layer, "weight_relative");
  table.histogram(of_relative);
}

void run(const Arguments& arguments) {
  const Checkpoint checkpoint = load_checkpoint(arguments.checkpoint);
  Watched watched = convolutions(checkpoint.network);
  const std::set<std::string> chosen = chosen_layers(watched, arguments.histograms);
  const Dataset training =
      load_dataset(checkpoint.dataset, Split::train, data_root(arguments.data, checkpoint.dataset));
  prepare_torch(arguments.threads);
  FloatNetwork network(checkpoint.network, checkpoint.tensors);
  network.set_batch_norm_mode(BatchNormMode::inference);
  const CalibrationData data{training, checkpoint.normalization, {}, arguments.seed};

  watch(network, watched, data, arguments.images, "ranges",
        [](WatchedLayer& layer, const float* values, std::int64_t count) {
          const auto [lowest, highest] = std::minmax_element(values, values + count);
          layer.has_negative = layer.has_negative || *lowest < 0;
          layer.maximum = std::max({layer.maximum, -double{*lowest}, double{*highest}});
          for (std::size_t i = 0; i < std::size(kShares); ++i) {
            layer.quantiles[i] =
                std::max(layer.quantiles[i],
                         static_cast<double>(magnitude_quantile(values, count, kShares[i])));
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

  write_file_atomically(arguments.out, [&](std::ostream& out) {
    Table table(out);
    for (const auto& [index, layer] : watched) {
      table.begin(layer, "activation");
      table.value("maximum", layer.maximum);
      for (std::size_t i = 0; i < std::size(kShares); ++i) {
        table.value("quantile", kShares[i], layer.quantiles[i]);
      }
      table.histogram(layer.histogram);
      const torch::Tensor weights = layer.arithmetic == Arithmetic::shift
                                        ? shift_weight(network.parameter(layer.name + ".exponent"),
                                                       network.parameter(layer.name + ".sign"))
                                        : network.parameter(layer.name + ".weight");
      write_weights(table, layer, weights, chosen.count(layer.name) != 0, arguments.bins);
    }
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
  command->add_option("--bins", arguments->bins, "Of a histogram")
      ->check(CLI::Range(2, 1'000'000))
      ->capture_default_str();
  command->add_option("--images", arguments->images, "Training images, plain ones")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--seed", arguments->seed, "Of the images' choice")->capture_default_str();
  add_run_options(*command, arguments->data, arguments->threads);
  command->add_option("--out", arguments->out, "File to write (.csv)")->required();
  command->callback([arguments] { run(*arguments); });
}

}  // namespace abacus
