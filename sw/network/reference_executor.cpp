#include "sw/network/reference_executor.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace abacus::network {
namespace {

// height × width × channel order.
using Values = std::vector<std::int32_t>;

std::int64_t round_shift(std::int64_t value, int shift) {
  return shift == 0 ? value : (value + (std::int64_t{1} << (shift - 1))) >> shift;
}

// value · 2^shift; a product, since C++17 leaves left shifts of negative numbers undefined.
std::int64_t shift_left(std::int64_t value, int shift) {
  return value * (std::int64_t{1} << shift);
}

std::size_t position(const Shape& shape, int y, int x, int channel) {
  return (static_cast<std::size_t>(y) * static_cast<std::size_t>(shape.width) +
          static_cast<std::size_t>(x)) *
             static_cast<std::size_t>(shape.channels) +
         static_cast<std::size_t>(channel);
}

std::int32_t finish(const IntegerLayer& layer, std::int64_t product) {
  std::int64_t value = round_shift(product, layer.shift + layer.fraction_bits);
  if (layer.relu) value = std::max<std::int64_t>(value, 0);
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>(value, layer.output.lowest(), layer.output.highest()));
}

// The read quantizer's operand, before its shift.
std::int64_t operand_of(const IntegerLayer& layer, const ReadQuantizer& quantizer,
                        std::int64_t stored) {
  if (layer.arithmetic == Arithmetic::bnn) return stored < 0 ? -1 : 1;
  const int bits = layer.activation_bits;
  const std::int64_t lowest = layer.activation_signed ? -(1 << (bits - 1)) : 0;
  const std::int64_t highest = layer.activation_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
  return std::clamp(round_shift(stored * quantizer.multiplier, quantizer.shift), lowest, highest);
}

// What one group of output channels sees of the input: operands, already shifted for the
// subtraction, with the padding around them.
struct Operands {
  Shape shape;  // padded
  Values values;
};

Operands read_operands(const IntegerLayer& layer, const Shape& input_shape, const Values& input,
                       const ReadQuantizer& quantizer) {
  Operands operands;
  operands.shape = {input_shape.channels, input_shape.height + 2 * layer.padding,
                    input_shape.width + 2 * layer.padding};
  operands.values.assign(static_cast<std::size_t>(operands.shape.elements()),
                         layer.arithmetic == Arithmetic::bnn ? -1 : 0);
  for (int y = 0; y < input_shape.height; ++y) {
    for (int x = 0; x < input_shape.width; ++x) {
      for (int c = 0; c < input_shape.channels; ++c) {
        const std::int64_t stored = input[position(input_shape, y, x, c)];
        const std::int64_t operand = operand_of(layer, quantizer, stored);
        operands.values[position(operands.shape, y + layer.padding, x + layer.padding, c)] =
            static_cast<std::int32_t>(shift_left(operand, layer.activation_shift));
      }
    }
  }
  return operands;
}

// What output channel `channel` of a depthwise convolution sees.
Operands channel_of(const Operands& all, int channel) {
  Operands one;
  one.shape = {1, all.shape.height, all.shape.width};
  for (std::size_t i = static_cast<std::size_t>(channel); i < all.values.size();
       i += static_cast<std::size_t>(all.shape.channels)) {
    one.values.push_back(all.values[i]);
  }
  return one;
}

// Weights of one output channel in the order ky, kx, input channel, already shifted.
Values read_weights(const IntegerLayer& layer, int input_channels, int output_channel) {
  const int kernel = layer.kernel;
  Values weights;
  for (int ky = 0; ky < kernel; ++ky) {
    for (int kx = 0; kx < kernel; ++kx) {
      for (int c = 0; c < input_channels; ++c) {
        const std::int64_t index =
            ((std::int64_t{output_channel} * input_channels + c) * kernel + ky) * kernel + kx;
        weights.push_back(static_cast<std::int32_t>(
            shift_left(layer.weights[static_cast<std::size_t>(index)], layer.weight_shift)));
      }
    }
  }
  return weights;
}

// The exponents of an apot code's terms, as many as it has.
std::vector<int> exponents_of(const IntegerLayer& layer, int code) {
  const std::size_t magnitude = static_cast<std::size_t>(std::abs(code));
  std::vector<int> exponents;
  for (const int exponent : {layer.first_exponents[magnitude % layer.first_exponents.size()],
                             layer.second_exponents[magnitude / layer.first_exponents.size()]}) {
    if (exponent != no_exponent) exponents.push_back(exponent);
  }
  return exponents;
}

// An activation's magnitude, with the fraction behind it, to the right.
std::int64_t shifted(const IntegerLayer& layer, std::int64_t activation, int exponent) {
  return exponent > 62 ? 0 : (std::abs(activation) << layer.fraction_bits) >> exponent;
}

// The value of a code of an exponent weight, times an activation, in units of 2^−fraction_bits.
std::int64_t exponent_tap(const IntegerLayer& layer, std::int64_t activation, int code) {
  if (code == 0) return 0;
  const int number = std::abs(code) - 1;
  std::int64_t tap = 0;
  if (layer.arithmetic == Arithmetic::apot) {
    for (const int exponent : exponents_of(layer, code)) {
      tap += shifted(layer, activation, exponent);
    }
  } else if (layer.arithmetic == Arithmetic::shift) {
    tap = shifted(layer, activation, number);
  } else if (number % 2 == 0) {
    tap = shifted(layer, activation, number / 2);
  } else {
    const double value = std::ldexp(static_cast<double>(std::abs(activation)), layer.fraction_bits);
    tap = std::llround(value * std::exp2(-number / 2.0));
  }
  return (activation < 0) == (code < 0) ? tap : -tap;
}

// The real weight that a code stands for.
double exponent_weight(const IntegerLayer& layer, int code) {
  if (code == 0) return 0.0;
  const int number = std::abs(code) - 1;
  double weight = 0.0;
  if (layer.arithmetic == Arithmetic::apot) {
    for (const int exponent : exponents_of(layer, code)) weight += std::exp2(-exponent);
  } else {
    weight = std::exp2(layer.arithmetic == Arithmetic::post ? -number / 2.0 : -number);
  }
  return code < 0 ? -weight : weight;
}

// What the table says of a pair of codes.
std::int32_t table_tap(const hw::ElementTable& element, int activation, int code) {
  const int row = code - (element.weight_signed ? -(1 << (element.weight_bits - 1)) : 0);
  const int column =
      activation - (element.activation_signed ? -(1 << (element.activation_bits - 1)) : 0);
  return element.taps.at(static_cast<std::size_t>((row << element.activation_bits) + column));
}

// The taps of every pair of an activation and a code, of layers whose weights are codes.
class CodeTaps {
 public:
  // `element`: of `table` layers.
  CodeTaps(const IntegerLayer& layer, const std::optional<hw::ElementTable>& element) {
    if (layer.arithmetic == Arithmetic::table) {
      taps_.resize(activations * codes);
      for (int a = lowest(layer.activation_bits, layer.activation_signed);
           a <= highest(layer.activation_bits, layer.activation_signed); ++a) {
        for (int code = lowest(layer.weight_bits, layer.weight_signed);
             code <= highest(layer.weight_bits, layer.weight_signed); ++code) {
          taps_[index(a, code)] = table_tap(element.value(), a, code);
        }
      }
    }
    if (!hw::has_exponent_weights(layer.arithmetic)) return;
    taps_.resize(activations * codes);
    for (int a = -activations / 2; a < activations / 2; ++a) {
      for (int code = -layer.levels; code <= layer.levels; ++code) {
        taps_[index(a, code)] = static_cast<std::int32_t>(exponent_tap(layer, a, code));
      }
    }
  }
  std::int32_t operator()(std::int32_t activation, std::int32_t code) const {
    return taps_[index(activation, code)];
  }

 private:
  static constexpr int activations = 512;  // −256 … 255
  static constexpr int codes = 512;        // likewise
  static int lowest(int bits, bool is_signed) { return is_signed ? -(1 << (bits - 1)) : 0; }
  static int highest(int bits, bool is_signed) { return (1 << (is_signed ? bits - 1 : bits)) - 1; }
  static std::size_t index(int activation, int code) {
    return static_cast<std::size_t>((activation + activations / 2) * codes + code + codes / 2);
  }
  std::vector<std::int32_t> taps_;
};

// Exact: at most 32,767 channels of taps below 2^16, of exponent taps below 2^22, of a table's below 2^24.
std::int64_t sum_of_taps(hw::TapKind arithmetic, const CodeTaps& code_taps, const std::int32_t* a,
                         const std::int32_t* w, int count) {
  std::int64_t sum = 0;
  if (hw::has_exponent_weights(arithmetic) || arithmetic == Arithmetic::table) {
    for (int c = 0; c < count; ++c) sum += code_taps(a[c], w[c]);
  } else if (arithmetic == Arithmetic::adder) {
    for (int c = 0; c < count; ++c) sum += std::abs(a[c] - w[c]);
  } else if (arithmetic == Arithmetic::bnn) {
    for (int c = 0; c < count; ++c) sum += (a[c] < 0) == (w[c] < 0) ? 1 : -1;
  } else {
    for (int c = 0; c < count; ++c) sum += a[c] * w[c];
  }
  return sum;
}

class Accumulator {
 public:
  explicit Accumulator(int bits)
      : lowest_(-(std::int64_t{1} << (bits - 1))), highest_((std::int64_t{1} << (bits - 1)) - 1) {}

  void add(std::int64_t sum) {
    const std::int64_t exact = value_ + sum;
    value_ = std::clamp(exact, lowest_, highest_);
    if (value_ != exact) ++saturations_;
  }
  std::int64_t value() const { return value_; }
  std::int64_t saturations() const { return saturations_; }

 private:
  std::int64_t lowest_;
  std::int64_t highest_;
  std::int64_t value_ = 0;
  std::int64_t saturations_ = 0;
};

Accumulator accumulate(const IntegerLayer& layer, const CodeTaps& code_taps,
                       const Operands& operands, const Values& weights, int y, int x,
                       AccumulatorFormat format) {
  Accumulator accumulator(format.bits);
  const int channels = operands.shape.channels;
  if (format.packs_windows && channels < format.rows) {
    const int taps = layer.kernel * layer.kernel * channels;
    std::int64_t sum = 0;
    for (int tap = 0; tap < taps; ++tap) {
      const int ky = tap / channels / layer.kernel;
      const int kx = tap / channels % layer.kernel;
      const std::int32_t* const a =
          operands.values.data() +
          position(operands.shape, y * layer.stride + ky, x * layer.stride + kx, tap % channels);
      sum += sum_of_taps(layer.arithmetic, code_taps, a, weights.data() + tap, 1);
      if ((tap + 1) % format.rows != 0 && tap + 1 != taps) continue;
      accumulator.add(sum);
      sum = 0;
    }
    return accumulator;
  }
  for (int tile = 0; tile < channels; tile += std::min(format.rows, channels)) {
    const int count = std::min(format.rows, channels - tile);
    for (int ky = 0; ky < layer.kernel; ++ky) {
      for (int kx = 0; kx < layer.kernel; ++kx) {
        const std::int32_t* const a =
            operands.values.data() +
            position(operands.shape, y * layer.stride + ky, x * layer.stride + kx, tile);
        const std::int32_t* const w =
            weights.data() + (std::int64_t{ky} * layer.kernel + kx) * channels + tile;
        accumulator.add(sum_of_taps(layer.arithmetic, code_taps, a, w, count));
      }
    }
  }
  return accumulator;
}

// Σ a·w over a window, of real weights.
double exact_sum(const IntegerLayer& layer, const std::vector<double>& weight_of_code,
                 const Operands& operands, const Values& weights, int y, int x) {
  double sum = 0.0;
  std::size_t tap = 0;
  for (int ky = 0; ky < layer.kernel; ++ky) {
    for (int kx = 0; kx < layer.kernel; ++kx) {
      const std::int32_t* const a =
          operands.values.data() +
          position(operands.shape, y * layer.stride + ky, x * layer.stride + kx, 0);
      for (int c = 0; c < operands.shape.channels; ++c) {
        sum += a[c] * weight_of_code[static_cast<std::size_t>(weights[tap++] + layer.levels)];
      }
    }
  }
  return sum;
}

std::int32_t finish_exact(const IntegerLayer& layer, double product) {
  const double value = std::floor(std::ldexp(product, -layer.shift) + 0.5);
  const double lowest = layer.relu ? std::max(layer.output.lowest(), 0) : layer.output.lowest();
  return static_cast<std::int32_t>(
      std::clamp(value, lowest, static_cast<double>(layer.output.highest())));
}

// A layer with exponent weights in real numbers.
void convolve_exact(const IntegerLayer& layer, const Shape& input_shape, const Values& input,
                    const Values* residual, Values& output) {
  std::vector<Operands> operands;
  for (const ReadQuantizer& quantizer : layer.read_quantizers) {
    operands.push_back(read_operands(layer, input_shape, input, quantizer));
  }
  std::vector<double> weight_of_code;
  for (int code = -layer.levels; code <= layer.levels; ++code) {
    weight_of_code.push_back(exponent_weight(layer, code));
  }
  const Shape& shape = layer.output.shape;
  for (int o = 0; o < shape.channels; ++o) {
    const std::size_t channel = static_cast<std::size_t>(o);
    const Operands& group = operands[static_cast<std::size_t>(layer.group[channel])];
    const Operands own = layer.depthwise ? channel_of(group, o) : Operands();
    const Operands& seen = layer.depthwise ? own : group;
    const Values weights = read_weights(layer, layer.seen_channels(input_shape.channels), o);
    for (int y = 0; y < shape.height; ++y) {
      for (int x = 0; x < shape.width; ++x) {
        const std::size_t place = position(shape, y, x, o);
        const std::int64_t r = residual != nullptr ? (*residual)[place] : 0;
        const std::int64_t offset =
            layer.biases[channel] + shift_left(r * layer.residual_multiplier, layer.residual_shift);
        const double sum = exact_sum(layer, weight_of_code, seen, weights, y, x);
        output[place] =
            finish_exact(layer, sum * layer.multipliers[channel] + static_cast<double>(offset));
      }
    }
  }
}

std::int64_t saturate(std::int64_t value, std::int64_t lowest, std::int64_t highest,
                      std::int64_t& saturations) {
  const std::int64_t saturated = std::clamp(value, lowest, highest);
  if (saturated != value) ++saturations;
  return saturated;
}

// Mean of each channel.
std::vector<std::int64_t> channel_means(const AdapterNetwork& adapter, const Shape& shape,
                                        const Values& input) {
  std::vector<std::int64_t> means(static_cast<std::size_t>(shape.channels), 0);
  for (std::size_t i = 0; i < input.size(); ++i) means[i % means.size()] += input[i];
  for (std::int64_t& mean : means) {
    mean = std::clamp<std::int64_t>(round_shift(mean * adapter.pool_multiplier, adapter.pool_shift),
                                    smallest_adapter_value, largest_adapter_value);
  }
  return means;
}

// Runs the adapter's network on the layer's input, and puts β into the layer's read quantizer and
// multipliers.
StepResult adapt_step(IntegerLayer& layer, const Shape& input_shape, const Values& input) {
  const AdapterNetwork& adapter = *layer.adapter;
  std::vector<std::int64_t> values = channel_means(adapter, input_shape, input);
  if (adapter.hidden() != 0) {
    std::vector<std::int64_t> hidden;
    for (std::size_t j = 0; j < adapter.first_biases.size(); ++j) {
      std::int64_t sum = adapter.first_biases[j];
      for (std::size_t c = 0; c < values.size(); ++c) {
        sum += adapter.first_weights[j * values.size() + c] * values[c];
      }
      hidden.push_back(std::clamp<std::int64_t>(round_shift(sum, adapter.first_shift), 0,
                                                largest_adapter_value));
    }
    values = hidden;
  }
  std::int64_t sum = adapter.second_bias;
  for (std::size_t i = 0; i < values.size(); ++i) sum += adapter.second_weights[i] * values[i];

  StepResult result;
  const std::int64_t factor = round_shift(sum, adapter.second_shift);
  if (factor < smallest_step_factor) ++result.underflows;
  if (factor > largest_step_factor) ++result.overflows;
  const std::int64_t beta =
      std::clamp<std::int64_t>(factor, smallest_step_factor, largest_step_factor);
  result.factor = static_cast<int>(beta);

  int& multiplier = layer.read_quantizers.front().multiplier;
  const std::int64_t quotient = (shift_left(multiplier, step_factor_bits) + beta / 2) / beta;
  multiplier =
      static_cast<int>(saturate(quotient, 1, largest_read_multiplier, result.read_saturations));
  result.read_multiplier = multiplier;
  for (std::int32_t& m : layer.multipliers) {
    m = static_cast<std::int32_t>(saturate(round_shift(m * beta, step_factor_bits),
                                           smallest_scale_multiplier, largest_scale_multiplier,
                                           result.multiplier_saturations));
  }
  return result;
}

// `residual` may be null, `element` empty but for `table` layers. Returns the number of saturated additions.
std::int64_t convolve(const IntegerLayer& layer, const std::optional<hw::ElementTable>& element,
                      const Shape& input_shape, const Values& input, const Values* residual,
                      AccumulatorFormat format, Values& output) {
  std::vector<Operands> operands;
  for (const ReadQuantizer& quantizer : layer.read_quantizers) {
    operands.push_back(read_operands(layer, input_shape, input, quantizer));
  }
  const CodeTaps code_taps(layer, element);
  const std::int64_t fraction = std::int64_t{1} << layer.fraction_bits;
  const Shape& shape = layer.output.shape;
  std::int64_t saturations = 0;
  for (int o = 0; o < shape.channels; ++o) {
    const std::size_t channel = static_cast<std::size_t>(o);
    const Operands& group = operands[static_cast<std::size_t>(layer.group[channel])];
    const Operands own = layer.depthwise ? channel_of(group, o) : Operands();
    const Operands& seen = layer.depthwise ? own : group;
    const Values weights = read_weights(layer, layer.seen_channels(input_shape.channels), o);
    for (int y = 0; y < shape.height; ++y) {
      for (int x = 0; x < shape.width; ++x) {
        const Accumulator accumulator = accumulate(layer, code_taps, seen, weights, y, x, format);
        saturations += accumulator.saturations();
        const std::size_t place = position(shape, y, x, o);
        const std::int64_t r = residual != nullptr ? (*residual)[place] : 0;
        const std::int64_t offset =
            layer.biases[channel] + shift_left(r * layer.residual_multiplier, layer.residual_shift);
        output[place] =
            finish(layer, accumulator.value() * layer.multipliers[channel] + offset * fraction);
      }
    }
  }
  return saturations;
}

void add(const IntegerLayer& layer, const Values& first, const Values& second, Values& output) {
  for (std::size_t i = 0; i < output.size(); ++i) {
    output[i] = finish(
        layer,
        shift_left(std::int64_t{first[i]} * layer.multiplier, layer.left_shift) +
            shift_left(std::int64_t{second[i]} * layer.residual_multiplier, layer.residual_shift));
  }
}

void pool(const IntegerLayer& layer, const Shape& input_shape, const Values& input,
          Values& output) {
  const Shape& shape = layer.output.shape;
  for (int y = 0; y < shape.height; ++y) {
    for (int x = 0; x < shape.width; ++x) {
      for (int c = 0; c < shape.channels; ++c) {
        std::int64_t sum = 0;
        std::int64_t maximum = input[position(input_shape, y * layer.stride, x * layer.stride, c)];
        for (int ky = 0; ky < layer.kernel; ++ky) {
          for (int kx = 0; kx < layer.kernel; ++kx) {
            const std::int64_t value =
                input[position(input_shape, y * layer.stride + ky, x * layer.stride + kx, c)];
            sum += value;
            maximum = std::max(maximum, value);
          }
        }
        const std::int64_t v = layer.kind == IntegerLayerKind::average_pool ? sum : maximum;
        output[position(shape, y, x, c)] = finish(layer, v * layer.multiplier + layer.bias);
      }
    }
  }
}

void check_format(const std::string& name, AccumulatorFormat format) {
  if (format.bits < 8 || format.bits > 32 || format.rows < 1) {
    throw std::invalid_argument(name + ": accumulator of " + std::to_string(format.bits) +
                                " bits over " + std::to_string(format.rows) +
                                " rows; allowed: 8 to 32 bits, 1 row or more");
  }
}

}  // namespace

ReferenceResult execute_reference(const IntegerNetwork& network,
                                  const std::vector<std::int16_t>& image, AccumulatorFormat array,
                                  AccumulatorFormat edge_array, ExponentArithmetic exponents) {
  check_format("array", array);
  check_format("edge array", edge_array);
  if (static_cast<std::int64_t>(image.size()) != network.image.shape.elements()) {
    throw std::invalid_argument("image of " + std::to_string(image.size()) +
                                " values; the network takes " +
                                std::to_string(network.image.shape.elements()));
  }
  const Values input(image.begin(), image.end());
  ReferenceResult result;
  const auto tensor = [&](int index) -> const Values& {
    return index == image_tensor ? input : result.outputs[static_cast<std::size_t>(index)];
  };
  for (const IntegerLayer& stored_layer : network.layers) {
    IntegerLayer adapted;
    StepResult step;
    if (stored_layer.adapter) {
      adapted = stored_layer;
      step = adapt_step(adapted, network.tensor(adapted.input).shape, tensor(adapted.input));
    }
    const IntegerLayer& layer = stored_layer.adapter ? adapted : stored_layer;
    Values output(static_cast<std::size_t>(layer.output.shape.elements()));
    std::int64_t saturations = 0;
    const Shape& input_shape = network.tensor(layer.input).shape;
    switch (layer.kind) {
      case IntegerLayerKind::convolution: {
        const Values* residual = layer.residual == no_tensor ? nullptr : &tensor(layer.residual);
        if (exponents == ExponentArithmetic::exact && hw::has_exponent_weights(layer.arithmetic)) {
          convolve_exact(layer, input_shape, tensor(layer.input), residual, output);
        } else {
          saturations = convolve(layer, network.element, input_shape, tensor(layer.input), residual,
                                 layer.edge ? edge_array : array, output);
        }
        break;
      }
      case IntegerLayerKind::add:
        add(layer, tensor(layer.input), tensor(layer.residual), output);
        break;
      case IntegerLayerKind::average_pool:
      case IntegerLayerKind::max_pool:
        pool(layer, input_shape, tensor(layer.input), output);
        break;
    }
    result.outputs.push_back(std::move(output));
    result.saturations.push_back(saturations);
    result.steps.push_back(step);
  }
  const Values& scores = result.outputs.back();
  result.predicted_class =
      static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  return result;
}

}  // namespace abacus::network
