#include "sw/workload/synthetic_network.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <utility>
#include <vector>

#include "sw/network/counter_generator.hpp"
#include "sw/network/graph_folding.hpp"
#include "sw/network/integer_limits.hpp"
#include "sw/workload/stored_distribution.hpp"

namespace abacus::workload {
namespace {

constexpr int edge_bits = 8;
constexpr int image_bits = 8;
constexpr int score_bits = 16;
// Share of a tensor's range that one deviation of its values takes, before ReLU and clamping.
constexpr double deviation_share = 1.0 / 3;
// Scale units: multipliers below, so that one with a step adapter has room for a β of 4; and shifts
// that leave the residual's fields room for a half.
constexpr double largest_multiplier = 28000.0;
constexpr double largest_adapted_multiplier = 7000.0;
constexpr int largest_shift = 28;

enum class Purpose : std::uint64_t { weight = 1, group, adapter };

double spread(const network::StoredTensor& tensor) { return tensor.highest() * deviation_share; }

// The folded graph with the formats of its stored tensors; nothing of weights and scales yet.
std::vector<network::IntegerLayer> empty_layers(const network::Network& network, int storage_bits) {
  std::vector<network::IntegerLayer> layers;
  for (const network::FoldedLayer& folded : network::fold_graph(network)) {
    network::IntegerLayer layer = network::integer_layer(network, folded);
    layer.output.bits = storage_bits;
    layer.output.is_signed = !folded.nonnegative;
    layers.push_back(std::move(layer));
  }
  layers.back().output.bits = score_bits;
  return layers;
}

class Maker {
 public:
  explicit Maker(const SyntheticOptions& options) : options_(options) {}

  network::IntegerNetwork run() {
    const network::Network source = network::make_network(options_.network, options_.arithmetic,
                                                          options_.image, options_.classes);
    network_.image = {options_.image, image_bits, true, 1.0};
    for (int i = 0; i < options_.image.channels * 256; ++i) {
      network_.input_table.push_back(static_cast<std::int16_t>(i % 256 - 128));
    }
    network_.classes = options_.classes;
    network::PackageOrigin& origin = network_.origin;
    origin.network = options_.network;
    origin.arithmetic = options_.arithmetic;
    origin.dataset = origin.scheme = "synthetic";
    const bool binary = options_.arithmetic == network::Arithmetic::bnn;
    origin.weight_bits = binary ? 1 : options_.weight_bits;
    origin.activation_bits = binary ? 1 : options_.activation_bits;
    check_widths();
    network_.element = options_.element;
    if (options_.element) {
      origin.weight_bits = options_.element->weight_bits;
      origin.activation_bits = options_.element->activation_bits;
    }

    network_.layers = empty_layers(source, options_.storage_bits);
    for (index_ = 0; index_ < network_.layers.size(); ++index_) fill(network_.layers[index_]);
    network::validate(network_, "synthetic network");
    return std::move(network_);
  }

 private:
  // Those that the tables below are as large as; validate() sees to all else.
  void check_widths() const {
    const auto check = [](const std::string& name, int bits, int lowest, int highest) {
      if (bits >= lowest && bits <= highest) return;
      throw std::runtime_error("synthetic network: " + name + " is " + std::to_string(bits) +
                               "; allowed: " + std::to_string(lowest) + " to " +
                               std::to_string(highest));
    };
    if (options_.arithmetic != network::Arithmetic::bnn) {
      check("weight_bits", options_.weight_bits, 2, 8);
      check("activation_bits", options_.activation_bits, 2, 8);
    }
    if ((options_.arithmetic == network::Arithmetic::table) != options_.element.has_value()) {
      throw std::runtime_error("synthetic network: arithmetic " +
                               network::to_string(options_.arithmetic) +
                               (options_.element ? " with" : " without") +
                               " an element; allowed: table with one, others without");
    }
    check("storage_bits", options_.storage_bits, 2, 16);
    check("groups", options_.groups, 1, 64);
    check("fraction_bits", options_.fraction_bits, 0, 12);
    check("most_levels", options_.most_levels, 1, 127);
  }

  network::CounterGenerator draws(Purpose purpose, int item = 0) const {
    return {options_.seed, index_, static_cast<std::uint64_t>(item),
            static_cast<std::uint64_t>(purpose)};
  }
  static int between(network::CounterGenerator& generator, int low, int high) {
    return low + static_cast<int>(generator.below(static_cast<std::uint64_t>(high - low) + 1));
  }

  const Distribution& distribution(int tensor) const {
    return tensor == network::image_tensor ? image_distribution_
                                           : distributions_[static_cast<std::size_t>(tensor)];
  }

  void fill(network::IntegerLayer& layer) {
    switch (layer.kind) {
      case network::IntegerLayerKind::convolution:
        return fill_convolution(layer);
      case network::IntegerLayerKind::average_pool:
      case network::IntegerLayerKind::max_pool:
        return fill_pool(layer);
      case network::IntegerLayerKind::add:
        throw std::logic_error("layer \"" + layer.name +
                               "\": an addition that no convolution takes in");
    }
  }

  void fill_pool(network::IntegerLayer& layer) {
    const Distribution& input = distribution(layer.input);
    if (layer.kind == network::IntegerLayerKind::max_pool) {
      distributions_.push_back(largest_of(input, layer.kernel * layer.kernel));
      return;
    }
    layer.multiplier = (1 << 14) / (layer.kernel * layer.kernel);
    layer.shift = 14;
    // Neighbours are alike to some extent: between 1/kernel² and 1 of the variance stays.
    distributions_.push_back(rounded_normal(layer.output, input.mean(),
                                            std::sqrt(input.variance() / layer.kernel + 0.25)));
  }

  void fill_convolution(network::IntegerLayer& layer) {
    set_operands(layer);
    set_read_quantizers(layer);
    std::vector<Distribution> operands;  // by group
    for (const network::ReadQuantizer& quantizer : layer.read_quantizers) {
      operands.push_back(operand_distribution(distribution(layer.input), layer, quantizer));
    }
    set_weights(layer);
    if (options_.adapters && !layer.edge && layer.arithmetic != network::Arithmetic::adder &&
        layer.arithmetic != network::Arithmetic::bnn &&
        layer.arithmetic != network::Arithmetic::table) {
      set_adapter(layer);
    }
    set_scales(layer, operands);
    distributions_.push_back(rounded_normal(layer.output, 0.0, spread(layer.output)));
  }

  void set_operands(network::IntegerLayer& layer) const {
    if (layer.arithmetic == network::Arithmetic::bnn) {
      layer.weight_bits = layer.activation_bits = 1;
      layer.weight_signed = layer.activation_signed = true;
      return;
    }
    if (layer.arithmetic == network::Arithmetic::table) {
      layer.set_operands(*options_.element);
      return;
    }
    const bool adder = layer.arithmetic == network::Arithmetic::adder;
    layer.weight_bits = layer.edge ? edge_bits : options_.weight_bits;
    layer.activation_bits = layer.edge ? edge_bits : options_.activation_bits;
    layer.activation_signed = network_.tensor(layer.input).is_signed;
    // Both operands of an adder are on one grid, and so are their signs.
    layer.weight_signed = !adder || layer.activation_signed;
    if (adder) {
      layer.weight_shift = std::max(0, layer.activation_bits - layer.weight_bits);
      layer.activation_shift = std::max(0, layer.weight_bits - layer.activation_bits);
    }
    if (!hw::has_exponent_weights(layer.arithmetic)) return;
    layer.levels = std::min((1 << (layer.weight_bits - 1)) - 1, options_.most_levels);
    // Codes are no wider than their levels need, as the quantizers have them.
    while (layer.weight_bits > 2 && (1 << (layer.weight_bits - 2)) - 1 >= layer.levels) {
      --layer.weight_bits;
    }
    layer.fraction_bits = options_.fraction_bits;
    if (layer.arithmetic == network::Arithmetic::post) {  // as the quantizers have them
      layer.fraction_bits =
          std::min(layer.fraction_bits, network::usual_table_fraction_bits(layer.levels));
    }
    if (layer.arithmetic == network::Arithmetic::apot) set_terms(layer);
  }

  // Exponents by turns to the two terms, as in APoT: 2^0 and on down.
  static void set_terms(network::IntegerLayer& layer) {
    const int second = (layer.weight_bits - 1) / 2;
    layer.first_exponents.assign(std::size_t{1} << (layer.weight_bits - 1 - second),
                                 network::no_exponent);
    layer.second_exponents.assign(std::size_t{1} << second, network::no_exponent);
    for (std::size_t i = 1; i < layer.first_exponents.size(); ++i) {
      layer.first_exponents[i] = static_cast<int>(2 * i - 1);
    }
    for (std::size_t i = 1; i < layer.second_exponents.size(); ++i) {
      layer.second_exponents[i] = static_cast<int>(2 * i);
    }
  }

  // An operand narrower than the stored value takes every 2^n-th step; groups differ by some percent.
  void set_read_quantizers(network::IntegerLayer& layer) const {
    const int channels = layer.output.shape.channels;
    const bool adder = layer.arithmetic == network::Arithmetic::adder;
    const int groups = adder && !layer.depthwise ? std::min(options_.groups, channels) : 1;
    const network::StoredTensor& input = network_.tensor(layer.input);
    const int unused = layer.activation_signed && !input.is_signed ? 1 : 0;
    const int narrower = std::max(0, input.bits + unused - layer.activation_bits);
    for (int group = 0; group < groups; ++group) {
      network::ReadQuantizer quantizer;
      if (layer.arithmetic != network::Arithmetic::bnn && (narrower > 0 || group > 0)) {
        quantizer.shift = 12 + narrower;
        quantizer.multiplier = static_cast<int>(std::lround(4096 * (1.0 + 0.15 * group)));
      }
      layer.read_quantizers.push_back(quantizer);
    }
    network::CounterGenerator generator = draws(Purpose::group);
    for (int o = 0; o < channels; ++o) layer.group.push_back(between(generator, 0, groups - 1));
  }

  void set_weights(network::IntegerLayer& layer) const {
    const int channels = layer.output.shape.channels;
    const std::int64_t taps = taps_of(layer);
    layer.weights.reserve(static_cast<std::size_t>(taps * channels));
    const std::vector<std::int16_t> choices = weight_choices(layer);
    for (int o = 0; o < channels; ++o) {
      network::CounterGenerator generator = draws(Purpose::weight, o);
      for (std::int64_t i = 0; i < taps; ++i) {
        layer.weights.push_back(choices[generator.below(choices.size())]);
      }
    }
  }

  // Weights to be drawn from, all alike.
  std::vector<std::int16_t> weight_choices(const network::IntegerLayer& layer) const {
    std::vector<std::int16_t> choices;
    if (layer.arithmetic == network::Arithmetic::bnn) return {-1, 1};
    const bool table = layer.arithmetic == network::Arithmetic::table;
    const bool distances = table ? options_.element->scales == hw::StepRule::shared
                                 : layer.arithmetic == network::Arithmetic::adder;
    if (!distances) {
      const bool codes = hw::has_exponent_weights(layer.arithmetic);
      const bool one_sided = table && !layer.weight_signed;
      const int most = codes       ? layer.levels
                       : one_sided ? (1 << layer.weight_bits) - 1
                                   : (1 << (layer.weight_bits - 1)) - 1;
      // Of one signed bit −1 and 0.
      const int least = one_sided ? 0 : std::min(-most, layer.weight_bits == 1 ? -1 : 0);
      for (int w = least; w <= most; ++w) choices.push_back(static_cast<std::int16_t>(w));
      return choices;
    }
    // Either end as often as the other.
    const int count = std::max(1, (1 << layer.weight_bits) / (layer.weight_signed ? 6 : 3));
    const int lowest = layer.weight_signed ? -(1 << (layer.weight_bits - 1)) : 0;
    const int highest = lowest + (1 << layer.weight_bits) - 1;
    for (int i = 0; i < count; ++i) {
      choices.push_back(static_cast<std::int16_t>(layer.weight_signed ? lowest + i : lowest));
      choices.push_back(static_cast<std::int16_t>(highest - i));
    }
    return choices;
  }

  std::int64_t taps_of(const network::IntegerLayer& layer) const {
    const int channels = layer.seen_channels(network_.tensor(layer.input).shape.channels);
    return std::int64_t{channels} * layer.kernel * layer.kernel;
  }

  // Share of the windows' positions that lie inside the input.
  double inside_share(const network::IntegerLayer& layer) const {
    const auto along = [&](int input, int outputs) {
      std::int64_t inside = 0;
      for (int i = 0; i < outputs; ++i) {
        const int first = i * layer.stride - layer.padding;
        inside += std::min(first + layer.kernel, input) - std::max(first, 0);
      }
      return static_cast<double>(inside) / (static_cast<double>(outputs) * layer.kernel);
    };
    const network::Shape& input = network_.tensor(layer.input).shape;
    const network::Shape& output = layer.output.shape;
    return along(input.height, output.height) * along(input.width, output.width);
  }

  // Mean and variance of each output channel's sum.
  std::vector<Moments> channel_moments(const network::IntegerLayer& layer,
                                       const std::vector<Distribution>& operands) const {
    constexpr int lowest = -128;
    constexpr int highest = 255;
    const double inside = inside_share(layer);
    std::vector<std::vector<Moments>> by_weight;  // by group
    for (const Distribution& seen : operands) {
      std::vector<Moments> table(highest - lowest + 1);
      for (const std::int16_t weight : weight_choices(layer)) {
        Moments& moments = table[static_cast<std::size_t>(weight - lowest)];
        if (moments.variance != 0 || moments.mean != 0) continue;
        moments = tap_moments(seen, layer, weight, options_.element);
        moments.mean =
            inside * moments.mean + (1 - inside) * padded_tap(layer, weight, options_.element);
        moments.variance *= inside;
      }
      by_weight.push_back(std::move(table));
    }
    std::vector<Moments> channels(static_cast<std::size_t>(layer.output.shape.channels));
    const std::size_t taps = static_cast<std::size_t>(taps_of(layer));
    for (std::size_t o = 0; o < channels.size(); ++o) {
      const std::vector<Moments>& table = by_weight[static_cast<std::size_t>(layer.group[o])];
      for (std::size_t i = o * taps; i < (o + 1) * taps; ++i) {
        const Moments& moments = table[static_cast<std::size_t>(layer.weights[i] - lowest)];
        channels[o].mean += moments.mean;
        channels[o].variance += moments.variance;
      }
    }
    return channels;
  }

  void set_scales(network::IntegerLayer& layer, const std::vector<Distribution>& operands) const {
    const std::vector<Moments> sums = channel_moments(layer, operands);
    double wanted = spread(layer.output) * spread(layer.output);
    double residual_mean = 0;
    if (layer.residual != network::no_tensor) {
      const Distribution& residual = distribution(layer.residual);
      residual_mean = residual.mean() / 2;
      wanted = std::max(wanted / 4, wanted - residual.variance() / 4);
    }
    double largest = 0;
    for (const Moments& sum : sums) largest = std::max(largest, sum.variance);
    const auto factor = [&](const Moments& sum) {
      // Channels whose weights happen to be all alike stay small.
      return std::sqrt(wanted / std::max({sum.variance, largest / 16, 1e-6}));
    };
    double largest_factor = 0;
    for (const Moments& sum : sums) largest_factor = std::max(largest_factor, factor(sum));
    const double limit = layer.adapter ? largest_adapted_multiplier : largest_multiplier;
    layer.shift = std::clamp(static_cast<int>(std::floor(std::log2(limit / largest_factor))), 0,
                             largest_shift);
    const double sign = layer.arithmetic == network::Arithmetic::adder ? -1.0
                        : layer.arithmetic == network::Arithmetic::table
                            ? options_.element->accumulate
                            : 1.0;
    for (const Moments& sum : sums) {
      const double scaled = std::min(std::ldexp(factor(sum), layer.shift), limit);
      const auto multiplier = static_cast<std::int32_t>(sign * std::max(1.0, std::round(scaled)));
      layer.multipliers.push_back(multiplier);
      layer.biases.push_back(static_cast<std::int64_t>(-sum.mean * multiplier -
                                                       std::ldexp(residual_mean, layer.shift)));
    }
    if (layer.residual != network::no_tensor) set_residual(layer);
  }

  // A half of it (all, where nothing is shifted); the multiplier takes what the left shift has no room
  // for.
  static void set_residual(network::IntegerLayer& layer) {
    constexpr int most_shift = 12;  // with 12 fraction bits as many as its field holds
    const int exponent = layer.shift - 1;
    layer.residual_shift = std::clamp(exponent, 0, most_shift);
    layer.residual_multiplier = 1 << std::max(0, exponent - layer.residual_shift);
  }

  // ASQ's adapter, C → C / 4 → 1 or, below 8 channels, C → 1; about 1, as at the start of a training.
  void set_adapter(network::IntegerLayer& layer) const {
    if (layer.input == network::image_tensor) return;
    const network::Shape& input = network_.tensor(layer.input).shape;
    network::CounterGenerator generator = draws(Purpose::adapter);
    network::AdapterNetwork adapter;
    // The mean, or half of it where it would not fit; the multiplier fits, too.
    const network::StoredTensor& read = network_.tensor(layer.input);
    const std::int64_t pixels = std::int64_t{input.height} * input.width;
    int mean_bits = pixels == 1 ? 15 : 16;
    while ((std::int64_t{1} << mean_bits) <= pixels) ++mean_bits;
    const int halved = read.highest() > network::largest_adapter_value ? 1 : 0;
    // Half of the highest value, which is odd, must not be rounded up.
    adapter.pool_multiplier = static_cast<int>(((std::int64_t{1} << mean_bits) - halved) / pixels);
    adapter.pool_shift = mean_bits + halved;
    const int hidden = input.channels < 8 ? 0 : input.channels / 4;
    for (int i = 0; i < hidden * input.channels; ++i) {
      adapter.first_weights.push_back(static_cast<std::int16_t>(between(generator, -20, 20)));
    }
    const int wider = std::max(0, read.bits - 8 - halved);
    adapter.first_biases.assign(static_cast<std::size_t>(hidden), std::int64_t{1} << (10 + wider));
    adapter.first_shift = hidden == 0 ? 0 : 4 + wider;
    for (int i = 0; i < (hidden == 0 ? input.channels : hidden); ++i) {
      adapter.second_weights.push_back(static_cast<std::int16_t>(between(generator, -60, 60)));
    }
    // A second layer's sum grows with the number of values and theirs with that of channels.
    const double values = hidden == 0 ? input.channels : std::sqrt(double{1} * hidden);
    const double inputs = hidden == 0 ? 1.0 : std::sqrt(double{1} * input.channels);
    adapter.second_shift =
        static_cast<int>(std::lround(std::log2(values * inputs))) + 1 + (hidden == 0 ? wider : 0);
    adapter.second_bias = std::int64_t{4096} << adapter.second_shift;
    layer.adapter = std::move(adapter);
    // A fine read multiplier, for β to divide.
    if (layer.read_quantizers.front().shift == 0) layer.read_quantizers = {{4096, 12}};
  }

  SyntheticOptions options_;
  network::IntegerNetwork network_;
  std::size_t index_ = 0;                    // of the layer that is being filled
  std::vector<Distribution> distributions_;  // of the layers' outputs so far
  Distribution image_distribution_ = uniform_distribution(-128, 127);
};

}  // namespace

network::IntegerNetwork synthetic_network(const SyntheticOptions& options) {
  return Maker(options).run();
}

}  // namespace abacus::workload
