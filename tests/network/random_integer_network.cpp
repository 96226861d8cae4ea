#include "tests/network/random_integer_network.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>

namespace abacus::test {
namespace {

// The generator is fixed by the C++ standard, its distributions are not; hence our own.
class Random {
 public:
  explicit Random(std::uint64_t seed) : generator_(seed) {}

  // Both ends included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    const std::uint64_t count = static_cast<std::uint64_t>(high - low) + 1;
    return low + static_cast<std::int64_t>(generator_() % count);
  }
  int integer(int low, int high) { return static_cast<int>(between(low, high)); }
  bool chance(int percent) { return integer(0, 99) < percent; }
  double real(double low, double high) {
    return low + (high - low) * static_cast<double>(generator_() >> 11) * 0x1.0p-53;
  }

 private:
  std::mt19937_64 generator_;
};

struct Range {
  int lowest;
  int highest;
};

Range operand_range(int bits, bool is_signed) {
  if (is_signed) return {-(1 << (bits - 1)), (1 << (bits - 1)) - 1};
  return {0, (1 << bits) - 1};
}

double largest(const network::StoredTensor& tensor) { return tensor.highest(); }

// The shift for which value · 2^shift lies just below `limit`, within low … high.
int shift_below(double value, double limit, int low, int high) {
  return std::clamp(static_cast<int>(std::floor(std::log2(limit / value))), low, high);
}

class Generator {
 public:
  Generator(std::uint64_t seed, const RandomNetworkOptions& options)
      : random_(seed), options_(options) {}

  network::IntegerNetwork make() {
    arithmetic_ = options_.arithmetic.value_or(random_.chance(50) ? network::Arithmetic::adder
                                                                  : network::Arithmetic::cnn);
    make_image();
    make_origin();
    network_.element = options_.element;
    const int layers = random_.integer(1, options_.layers);
    for (int i = 0; i < layers; ++i) append_layer(i == layers - 1);
    const network::StoredTensor& scores = network_.layers.back().output;
    network_.classes = static_cast<int>(scores.shape.elements());
    network::validate(network_, "random network");
    return std::move(network_);
  }

 private:
  void make_image() {
    network::StoredTensor& image = network_.image;
    image.shape = {random_.integer(1, 4), random_.integer(4, options_.side),
                   random_.integer(4, options_.side)};
    image.is_signed = random_.chance(75);
    image.bits = random_.chance(80) ? 8 : random_.integer(2, 16);
    for (int i = 0; i < image.shape.channels * 256; ++i) {
      network_.input_table.push_back(static_cast<std::int16_t>(
          random_.integer(image.lowest(), std::min(image.highest(), 32767))));
    }
  }

  void make_origin() {
    network_.origin.network = "random";
    network_.origin.arithmetic = arithmetic_;
    network_.origin.dataset = "random";
    network_.origin.scheme = "random";
    const int bits = arithmetic_ == network::Arithmetic::bnn ? 1 : options_.operand_bits;
    network_.origin.weight_bits = network_.origin.activation_bits = bits;
    if (options_.element) {
      network_.origin.weight_bits = options_.element->weight_bits;
      network_.origin.activation_bits = options_.element->activation_bits;
    }
  }

  void append_layer(bool last) {
    const int index = static_cast<int>(network_.layers.size());
    network::IntegerLayer layer;
    layer.name = "layer" + std::to_string(index);
    layer.input = index - 1;
    if (index > 0 && random_.chance(15)) {
      const int other = random_.integer(network::image_tensor, index - 1);
      if (free(other)) layer.input = other;
    }
    make_output_format(layer);

    const network::Shape input = network_.tensor(layer.input).shape;
    const int kind = random_.integer(0, 99);
    if (index == 0 || last || kind < 60) {
      layer.edge = options_.edge_layers && (index == 0 || last) && random_.chance(60);
      if (!layer.edge && arithmetic_.composite()) return append_shift_and_adder(layer);
      layer.arithmetic = layer.edge ? network::Arithmetic::cnn : arithmetic_.first();
      make_convolution(layer, input);
    } else if (kind < 75) {
      make_add(layer, input);
    } else {
      make_pool(layer, input, kind < 88);
    }
    network_.layers.push_back(std::move(layer));
  }

  // A shift layer and the adder layer that reads it.
  void append_shift_and_adder(network::IntegerLayer layer) {
    layer.arithmetic = network::Arithmetic::shift;
    make_convolution(layer, network_.tensor(layer.input).shape);
    layer.output.is_signed = true;
    layer.relu = false;
    layer.residual = network::no_tensor;
    layer.residual_multiplier = layer.residual_shift = 0;
    network::IntegerLayer adder;
    adder.name = layer.name + ".adder";
    adder.input = static_cast<int>(network_.layers.size());
    adder.arithmetic = network::Arithmetic::adder;
    make_output_format(adder);
    network_.layers.push_back(std::move(layer));
    make_convolution(adder, network_.tensor(adder.input).shape);
    network_.layers.push_back(std::move(adder));
  }

  // Whether any layer may read the tensor: a ShiftAddNet's shift layers have one reader each.
  bool free(int tensor) const {
    return tensor == network::image_tensor || arithmetic_ != network::Arithmetic::shiftaddnet ||
           network_.layers[static_cast<std::size_t>(tensor)].arithmetic !=
               network::Arithmetic::shift;
  }

  void make_output_format(network::IntegerLayer& layer) {
    layer.output.bits = random_.chance(50) ? 8 : random_.integer(2, 16);
    layer.output.is_signed = random_.chance(50);
    layer.output.scale = random_.real(0.01, 1.0);
  }

  // An earlier tensor of the wanted shape, the newest ones first; no_tensor if there is none.
  int find_tensor(const network::Shape& shape) {
    for (int i = static_cast<int>(network_.layers.size()) - 1; i >= network::image_tensor; --i) {
      if (free(i) && network_.tensor(i).shape == shape && random_.chance(70)) return i;
    }
    return network::no_tensor;
  }

  void make_window(network::IntegerLayer& layer, const network::Shape& input) {
    // Half of the convolutions keep the shape, so that residuals find partners.
    if (random_.chance(50)) {
      layer.kernel = 1 + 2 * random_.integer(0, 1);
      layer.padding = layer.kernel / 2;
      layer.output.shape = input;
      return;
    }
    const int side = std::min(input.height, input.width);
    layer.kernel = random_.integer(1, std::min(5, side));
    layer.stride = random_.integer(1, 3);
    layer.padding = random_.integer(0, layer.kernel - 1);
    const auto size = [&](int in) {
      return (in + 2 * layer.padding - layer.kernel) / layer.stride + 1;
    };
    layer.output.shape = {random_.integer(1, options_.channels), size(input.height),
                          size(input.width)};
    // For depthwise convolutions.
    if (options_.depthwise_percent > 0 && random_.chance(50)) {
      layer.output.shape.channels = input.channels;
    }
  }

  // `layer` knows its arithmetic and its input.
  void make_convolution(network::IntegerLayer& layer, const network::Shape& input) {
    layer.kind = network::IntegerLayerKind::convolution;
    make_window(layer, input);
    layer.depthwise = !layer.edge && layer.output.shape.channels == input.channels &&
                      options_.depthwise_percent > 0 && random_.chance(options_.depthwise_percent);
    make_operand_formats(layer);
    make_read_quantizers(layer);

    const std::int64_t taps =
        std::int64_t{layer.seen_channels(input.channels)} * layer.kernel * layer.kernel;
    for (std::int64_t i = 0; i < taps * layer.output.shape.channels; ++i) {
      layer.weights.push_back(
          static_cast<std::int16_t>(hw::has_exponent_weights(layer.arithmetic)
                                        ? random_.integer(-layer.levels, layer.levels)
                                        : operand(layer, layer.weight_bits, layer.weight_signed)));
    }
    layer.relu = random_.chance(50);
    make_scales(layer, taps);
    if (hw::has_exponent_weights(layer.arithmetic)) leave_room_for_fraction(layer);
    if (random_.chance(60)) make_residual(layer);
    const bool products = layer.arithmetic != network::Arithmetic::adder &&
                          layer.arithmetic != network::Arithmetic::bnn &&
                          layer.arithmetic != network::Arithmetic::table;
    if (products && layer.input != network::image_tensor && layer.read_quantizers.size() == 1 &&
        random_.chance(options_.adapter_percent)) {
      make_adapter(layer, input);
    }
  }

  // β between a half and two as a rule; some leave its range.
  void make_adapter(network::IntegerLayer& layer, const network::Shape& input) {
    network::AdapterNetwork adapter;
    const int pixels = input.height * input.width;
    adapter.pool_shift = random_.integer(10, 16);
    adapter.pool_multiplier =
        std::clamp((1 << adapter.pool_shift) / pixels * random_.integer(1, 3), 1, 65535);
    // No mean may saturate.
    const network::StoredTensor& tensor = network_.tensor(layer.input);
    const std::int64_t largest =
        std::int64_t{std::max(-tensor.lowest(), tensor.highest())} * pixels;
    while (largest * adapter.pool_multiplier >> adapter.pool_shift >= 32767) {
      adapter.pool_multiplier /= 2;
    }
    const int hidden = random_.chance(30) ? 0 : random_.integer(1, 12);
    const auto weights = [&](int count) {
      std::vector<std::int16_t> all;
      for (int i = 0; i < count; ++i) {
        all.push_back(static_cast<std::int16_t>(random_.integer(-128, 127)));
      }
      return all;
    };
    adapter.first_shift = random_.integer(0, 10);
    adapter.first_weights = weights(hidden * input.channels);
    for (int i = 0; i < hidden; ++i) {
      adapter.first_biases.push_back(random_.between(-100000, 1000000));
    }
    adapter.second_weights = weights(hidden == 0 ? input.channels : hidden);
    adapter.second_shift = random_.integer(0, 12);
    const int highest = random_.chance(20) ? 60000 : 8192;
    adapter.second_bias = std::int64_t{random_.integer(2048, highest)} << adapter.second_shift;
    layer.adapter = adapter;
  }

  // The hardware's shifts and biases include the fraction.
  static void leave_room_for_fraction(network::IntegerLayer& layer) {
    layer.fraction_bits = std::min(layer.fraction_bits, 46 - layer.shift);
    for (const std::int64_t bias : layer.biases) {
      while (std::abs(bias) > std::int64_t{1} << (46 - layer.fraction_bits)) --layer.fraction_bits;
    }
  }

  int operand(const network::IntegerLayer& layer, int bits, bool is_signed) {
    if (layer.arithmetic == network::Arithmetic::bnn) return random_.chance(50) ? 1 : -1;
    const Range range = operand_range(bits, is_signed);
    return random_.integer(range.lowest, range.highest);
  }

  void make_operand_formats(network::IntegerLayer& layer) {
    if (layer.edge) {
      layer.weight_bits = layer.activation_bits = 8;
      layer.weight_signed = true;
      layer.activation_signed = network_.tensor(layer.input).is_signed;
      return;
    }
    if (layer.arithmetic == network::Arithmetic::bnn) {
      layer.weight_bits = layer.activation_bits = 1;
      layer.weight_signed = layer.activation_signed = true;
      return;
    }
    if (layer.arithmetic == network::Arithmetic::table) {
      layer.set_operands(*options_.element);
      return;
    }
    layer.weight_bits = random_.integer(2, options_.operand_bits);
    layer.activation_bits = random_.integer(2, options_.operand_bits);
    layer.weight_signed = hw::has_exponent_weights(layer.arithmetic) || random_.chance(60);
    layer.activation_signed =
        random_.chance(80) ? network_.tensor(layer.input).is_signed : random_.chance(50);
    if (hw::has_exponent_weights(layer.arithmetic)) {
      const int most = (1 << (layer.weight_bits - 1)) - 1;
      layer.levels = random_.chance(50) ? most : random_.integer(1, most);
      const bool post = layer.arithmetic == network::Arithmetic::post;
      layer.fraction_bits = random_.integer(post ? 2 : 0, options_.fraction_bits);
      if (layer.arithmetic == network::Arithmetic::apot) make_terms(layer);
    }
    if (layer.arithmetic != network::Arithmetic::adder || random_.chance(40)) return;
    // Shifted operands stay within ±512: unsigned b bits shift by 9 − b, signed by 10 − b.
    if (random_.chance(50)) {
      const int most = (layer.weight_signed ? 10 : 9) - layer.weight_bits;
      layer.weight_shift = random_.integer(0, std::min(most, 7));
    } else {
      const int most = (layer.activation_signed ? 10 : 9) - layer.activation_bits;
      layer.activation_shift = random_.integer(0, std::min(most, 7));
    }
  }

  void make_terms(network::IntegerLayer& layer) {
    const int bits = layer.weight_bits - 1;
    const int first = random_.integer(std::max(1, bits - 4), std::min(4, bits));
    const auto make = [&](int count) {
      std::vector<int> exponents = {network::no_exponent};
      while (static_cast<int>(exponents.size()) < count) {
        exponents.push_back(random_.chance(10)   ? network::no_exponent
                            : random_.chance(15) ? random_.integer(10, 30)
                                                 : random_.integer(0, 9));
      }
      return exponents;
    };
    layer.first_exponents = make(1 << first);
    layer.second_exponents = make(1 << (bits - first));
  }

  void make_read_quantizers(network::IntegerLayer& layer) {
    const int channels = layer.output.shape.channels;
    const int groups =
        layer.depthwise || random_.chance(50) ? 1 : random_.integer(1, std::min(4, channels));
    const double operand =
        std::max(1, operand_range(layer.activation_bits, layer.activation_signed).highest);
    const double stored = largest(network_.tensor(layer.input));
    for (int g = 0; g < groups; ++g) {
      network::ReadQuantizer quantizer;
      if (layer.arithmetic != network::Arithmetic::bnn && !random_.chance(25)) {
        const double factor = operand / stored * random_.real(0.5, 2.0);
        quantizer.shift = random_.integer(0, shift_below(factor, 65535.0, 0, 31));
        quantizer.multiplier = std::clamp(
            static_cast<int>(std::lround(std::ldexp(factor, quantizer.shift))), 1, 65535);
      }
      layer.read_quantizers.push_back(quantizer);
    }
    for (int o = 0; o < channels; ++o) layer.group.push_back(random_.integer(0, groups - 1));
  }

  // What a random weight is worth.
  double weight_value(const network::IntegerLayer& layer) {
    if (!hw::has_exponent_weights(layer.arithmetic)) {
      return std::ldexp(operand(layer, layer.weight_bits, layer.weight_signed), layer.weight_shift);
    }
    const int code = random_.integer(-layer.levels, layer.levels);
    if (code == 0) return 0.0;
    const std::size_t magnitude = static_cast<std::size_t>(std::abs(code));
    if (layer.arithmetic == network::Arithmetic::apot) {
      const std::size_t count = layer.first_exponents.size();
      double value = 0.0;
      for (const int exponent :
           {layer.first_exponents[magnitude % count], layer.second_exponents[magnitude / count]}) {
        if (exponent != network::no_exponent) value += std::exp2(-exponent);
      }
      return std::copysign(value, code);
    }
    const double step = layer.arithmetic == network::Arithmetic::post ? 0.5 : 1.0;
    return std::copysign(std::exp2(step * (1 - std::abs(code))), code);
  }

  // Spread of the accumulators if operands and weights were uniform over their ranges.
  void make_scales(network::IntegerLayer& layer, std::int64_t taps) {
    constexpr int samples = 256;
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < samples; ++i) {
      const int a = operand(layer, layer.activation_bits, layer.activation_signed);
      const double av = std::ldexp(a, layer.activation_shift);
      const double wv = weight_value(layer);
      const double tap = layer.arithmetic == network::Arithmetic::table
                             ? options_.element->tap(a, static_cast<int>(wv))
                         : layer.arithmetic == network::Arithmetic::adder ? std::abs(av - wv)
                                                                          : av * wv;
      sum += tap;
      squares += tap * tap;
    }
    const double count = static_cast<double>(taps);
    const double mean = sum / samples * count;
    const double variance = squares / samples - sum / samples * (sum / samples);
    // Exponent weights are fractions.
    const double least = hw::has_exponent_weights(layer.arithmetic) ? 1.0 / 64 : 0.25;
    const double deviation = std::sqrt(std::max(variance, least) * count);

    const int largest_multiplier = random_.integer(4, 32767);
    const double target = largest(layer.output) * random_.real(0.1, 0.8) + 0.5;
    layer.shift = std::clamp(
        static_cast<int>(std::lround(std::log2(deviation * largest_multiplier / target))), 0, 46);
    const double centre = layer.output.is_signed ? 0.0 : largest(layer.output) / 3;
    for (int o = 0; o < layer.output.shape.channels; ++o) {
      int multiplier = random_.integer((largest_multiplier + 1) / 2, largest_multiplier);
      if (random_.chance(layer.arithmetic == network::Arithmetic::adder ? 80 : 50))
        multiplier = -multiplier;
      layer.multipliers.push_back(multiplier);
      const double jitter = random_.real(-0.5, 0.5) * target;
      layer.biases.push_back(
          std::llround(std::ldexp(centre + jitter, layer.shift) - mean * multiplier));
    }
  }

  void make_residual(network::IntegerLayer& layer) {
    layer.residual = find_tensor(layer.output.shape);
    if (layer.residual == network::no_tensor) return;
    const double factor =
        operand_factor(layer, network_.tensor(layer.residual)) * random_.real(0.2, 0.8);
    set_factor(factor, layer.residual_multiplier, layer.residual_shift);
    layer.residual_shift = std::min(layer.residual_shift, 24 - layer.fraction_bits);
  }

  // Units of the product a unit of `operand` is worth if both tensors span the same real range.
  static double operand_factor(const network::IntegerLayer& layer,
                               const network::StoredTensor& operand) {
    return std::ldexp(largest(layer.output) / largest(operand), layer.shift);
  }

  // factor ≈ multiplier · 2^left_shift
  void set_factor(double factor, std::int32_t& multiplier, std::int32_t& left_shift) {
    const int least = std::clamp(-shift_below(factor, 65535.0, -24, 0), 0, 24);
    left_shift = random_.integer(least, std::min(24, least + 3));
    multiplier = static_cast<std::int32_t>(
        std::clamp(std::round(std::ldexp(factor, -left_shift)), 0.0, 65535.0));
  }

  void make_add(network::IntegerLayer& layer, const network::Shape& input) {
    layer.kind = network::IntegerLayerKind::add;
    layer.output.shape = input;
    layer.residual = find_tensor(input);
    if (layer.residual == network::no_tensor) layer.residual = layer.input;
    layer.shift = random_.integer(0, 30);
    layer.relu = random_.chance(50);
    set_factor(operand_factor(layer, network_.tensor(layer.input)) * random_.real(0.2, 0.8),
               layer.multiplier, layer.left_shift);
    set_factor(operand_factor(layer, network_.tensor(layer.residual)) * random_.real(0.2, 0.8),
               layer.residual_multiplier, layer.residual_shift);
  }

  void make_pool(network::IntegerLayer& layer, const network::Shape& input, bool average) {
    layer.kind =
        average ? network::IntegerLayerKind::average_pool : network::IntegerLayerKind::max_pool;
    const int side = std::min(input.height, input.width);
    layer.kernel = random_.chance(20) ? side : random_.integer(1, std::min(3, side));
    layer.stride = random_.chance(70) ? layer.kernel : random_.integer(1, 3);
    layer.output.shape = {input.channels, (input.height - layer.kernel) / layer.stride + 1,
                          (input.width - layer.kernel) / layer.stride + 1};
    const double window = average ? double{1} * layer.kernel * layer.kernel : 1.0;
    const double factor = largest(layer.output) / largest(network_.tensor(layer.input)) / window;
    const int most = shift_below(factor, 65535.0, 0, 46);
    layer.shift = random_.integer(std::max(0, most - 12), most);
    layer.multiplier = std::clamp(
        static_cast<std::int32_t>(std::lround(std::ldexp(factor, layer.shift))), 0, 65535);
    layer.bias = static_cast<std::int64_t>(
        std::ldexp(random_.real(-0.2, 0.2) * largest(layer.output), layer.shift));
  }

  Random random_;
  RandomNetworkOptions options_;
  network::Arithmetic arithmetic_ = network::Arithmetic::cnn;
  network::IntegerNetwork network_;
};

}  // namespace

network::IntegerNetwork random_integer_network(std::uint64_t seed,
                                               const RandomNetworkOptions& options) {
  return Generator(seed, options).make();
}

std::vector<std::uint8_t> random_pixels(const network::IntegerNetwork& network,
                                        std::uint64_t seed) {
  Random random(seed);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(network.image.shape.elements()));
  for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random.integer(0, 255));
  return pixels;
}

}  // namespace abacus::test
