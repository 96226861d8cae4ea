#include "tests/schedule/synthetic_network.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

namespace abacus::test {
namespace {

constexpr int stored_bits = 8;
constexpr int scale_shift = 24;

class Folder {
 public:
  explicit Folder(const SyntheticOptions& options)
      : options_(options),
        float_network_(
            make_network(options.network, options.arithmetic, options.image, options.classes)),
        random_(options.seed),
        tensor_of_(float_network_.layers.size(), no_tensor) {}

  IntegerNetwork run() {
    network_.image = {options_.image, stored_bits, true, 1.0};
    for (int i = 0; i < options_.image.channels * 256; ++i) {
      network_.input_table.push_back(static_cast<std::int16_t>(i % 256 - 128));
    }
    network_.classes = options_.classes;
    const int bits = options_.arithmetic == Arithmetic::bnn ? 1 : options_.operand_bits;
    network_.origin = {options_.network,
                       options_.arithmetic,
                       "synthetic",
                       "synthetic",
                       bits,
                       bits,
                       "",
                       "",
                       -1,
                       -1};
    for (std::size_t i = 0; i < float_network_.layers.size(); ++i) fold(i);
    validate(network_, "synthetic network");
    return std::move(network_);
  }

 private:
  int tensor(int float_index) const {
    return float_index < 0 ? image_tensor : tensor_of_[static_cast<std::size_t>(float_index)];
  }

  void fold(std::size_t index) {
    const Layer& layer = float_network_.layers[index];
    const int source = tensor(layer.inputs.front());
    switch (layer.kind) {
      case LayerKind::convolution:
        network_.layers.push_back(convolution(layer, source));
        break;
      case LayerKind::batch_norm:
        tensor_of_[index] = source;
        return;
      case LayerKind::relu: {
        IntegerLayer& folded = network_.layers[static_cast<std::size_t>(source)];
        folded.relu = true;
        folded.output.is_signed = false;
        tensor_of_[index] = source;
        return;
      }
      case LayerKind::add:
        tensor_of_[index] = fuse_residual(source, tensor(layer.inputs[1]));
        return;
      case LayerKind::average_pool:
      case LayerKind::max_pool:
        network_.layers.push_back(pool(layer, source));
        break;
    }
    tensor_of_[index] = static_cast<int>(network_.layers.size()) - 1;
  }

  // Puts the residual into the block's convolution, which must then come after the shortcut's.
  int fuse_residual(int source, int residual) {
    const int last = static_cast<int>(network_.layers.size()) - 1;
    if (residual > source) {
      // A shortcut is one layer, or two in a ShiftAddNet, as is the convolution before it.
      const int length = last - source;
      if (residual != last || source - length + 1 < 0) throw std::logic_error("unexpected block");
      auto& layers = network_.layers;
      std::rotate(layers.end() - 2 * length, layers.end() - length, layers.end());
      if (length == 2) {
        layers[static_cast<std::size_t>(last - 2)].input = last - 3;
        layers[static_cast<std::size_t>(last)].input = last - 1;
      }
      source = last;
      residual = last - length;
    }
    IntegerLayer& layer = network_.layers[static_cast<std::size_t>(source)];
    layer.residual = residual;
    layer.residual_multiplier = 1;
    layer.residual_shift = std::max(0, layer.shift - 1);  // half of the residual
    return source;
  }

  IntegerLayer pool(const Layer& layer, int source) const {
    IntegerLayer result;
    result.name = layer.name;
    result.kind = layer.kind == LayerKind::max_pool ? IntegerLayerKind::max_pool
                                                    : IntegerLayerKind::average_pool;
    result.input = source;
    const StoredTensor& input = network_.tensor(source);
    result.output = {layer.output, stored_bits, input.is_signed, 1.0};
    result.kernel = layer.kernel;
    result.stride = layer.stride;
    if (result.kind == IntegerLayerKind::average_pool) {
      result.multiplier = (1 << 14) / (layer.kernel * layer.kernel);
      result.shift = 14;
    }
    return result;
  }

  int between(int low, int high) {
    return low + static_cast<int>(random_() % static_cast<std::uint64_t>(high - low + 1));
  }

  IntegerLayer convolution(const Layer& layer, int source) {
    IntegerLayer result;
    result.name = layer.name;
    result.input = source;
    result.output = {layer.output, stored_bits, true, 1.0};
    result.kernel = layer.kernel;
    result.stride = layer.stride;
    result.padding = layer.padding;
    result.arithmetic = layer.arithmetic;
    result.edge = layer.edge;
    if (layer.arithmetic == Arithmetic::bnn) {
      set_signs(result, layer);
      return result;
    }
    const StoredTensor& input = network_.tensor(source);
    const bool adder = layer.arithmetic == Arithmetic::adder;
    result.weight_bits = result.activation_bits = layer.edge ? 8 : options_.operand_bits;
    // Behind a shift layer both operands of an adder are signed.
    const bool unsigned_weights = adder && !input.is_signed;
    result.weight_signed = !unsigned_weights;
    result.activation_signed = input.is_signed;
    if (has_exponent_weights(layer.arithmetic)) {
      result.levels = (1 << (result.weight_bits - 1)) - 1;
      result.fraction_bits = options_.fraction_bits;
      if (layer.arithmetic == Arithmetic::apot) set_terms(result);
    }

    const int highest = (1 << (result.weight_bits - (unsigned_weights ? 0 : 1))) - 1;
    const std::int64_t taps = std::int64_t{layer.input.channels} * layer.kernel * layer.kernel;
    for (std::int64_t i = 0; i < taps * layer.output.channels; ++i) {
      result.weights.push_back(
          static_cast<std::int16_t>(between(unsigned_weights ? 0 : -highest, highest)));
    }
    const int groups = adder ? std::min(options_.groups, layer.output.channels) : 1;
    for (int group = 0; group < groups; ++group) {
      // A narrower operand takes every 2^(8 − bits)-th step; groups differ by some percent.
      const int bits = result.activation_bits;
      ReadQuantizer quantizer;
      if (bits < stored_bits || group > 0) {
        quantizer.shift = 12;
        quantizer.multiplier =
            static_cast<int>(std::lround(std::ldexp(1.0 + 0.15 * group, 12 + bits - stored_bits)));
      }
      result.read_quantizers.push_back(quantizer);
    }
    for (int o = 0; o < layer.output.channels; ++o) {
      result.group.push_back(groups == 1 ? 0 : between(0, groups - 1));
    }
    if (has_exponent_weights(layer.arithmetic)) {
      // A weight's mean square is about 4/3 over the number of levels, 2 over it where they halve.
      const double activation = std::ldexp(0.5, result.activation_bits);
      const double square = layer.arithmetic == Arithmetic::shift ? 4.0 / 3 : 2.0;
      set_scales(result, false, activation, std::sqrt(square / highest), static_cast<double>(taps));
    } else {
      set_scales(result, adder, highest, highest, static_cast<double>(taps));
    }
    if (options_.adapters && !adder && !layer.edge) set_adapter(result);
    return result;
  }

  // C → C / 4 → 1, about 1 as at the start of a training.
  void set_adapter(IntegerLayer& layer) {
    const Shape& input = network_.tensor(layer.input).shape;
    AdapterNetwork adapter;
    adapter.pool_shift = 16;
    adapter.pool_multiplier = (1 << 16) / (input.height * input.width);
    const int hidden = std::max(1, input.channels / 4);
    for (int i = 0; i < hidden * input.channels; ++i) {
      adapter.first_weights.push_back(static_cast<std::int16_t>(between(-20, 20)));
    }
    adapter.first_biases.assign(static_cast<std::size_t>(hidden), 1 << 10);
    adapter.first_shift = 4;
    for (int i = 0; i < hidden; ++i) {
      adapter.second_weights.push_back(static_cast<std::int16_t>(between(-60, 60)));
    }
    adapter.second_shift = 3;
    adapter.second_bias = std::int64_t{4096} << 3;
    layer.adapter = adapter;
    if (layer.read_quantizers.front().shift == 0) layer.read_quantizers = {{4096, 12}};
    for (std::int32_t& multiplier : layer.multipliers) multiplier /= 4;
    for (std::int64_t& bias : layer.biases) bias /= 4;
    layer.shift -= 2;
  }

  // Exponents by turns to the two terms, as in APoT: 2^0 and on down.
  static void set_terms(IntegerLayer& layer) {
    const int second = (layer.weight_bits - 1) / 2;
    layer.first_exponents.assign(std::size_t{1} << (layer.weight_bits - 1 - second), no_exponent);
    layer.second_exponents.assign(std::size_t{1} << second, no_exponent);
    for (std::size_t i = 1; i < layer.first_exponents.size(); ++i) {
      layer.first_exponents[i] = static_cast<int>(2 * i - 1);
    }
    for (std::size_t i = 1; i < layer.second_exponents.size(); ++i) {
      layer.second_exponents[i] = static_cast<int>(2 * i);
    }
  }

  void set_signs(IntegerLayer& result, const Layer& layer) {
    result.weight_bits = result.activation_bits = 1;
    result.weight_signed = result.activation_signed = true;
    const std::int64_t taps = std::int64_t{layer.input.channels} * layer.kernel * layer.kernel;
    for (std::int64_t i = 0; i < taps * layer.output.channels; ++i) {
      result.weights.push_back(static_cast<std::int16_t>(2 * between(0, 1) - 1));
    }
    result.read_quantizers.push_back({1, 0});
    result.group.assign(static_cast<std::size_t>(layer.output.channels), 0);
    set_scales(result, false, 1, 1, static_cast<double>(taps));
  }

  // A random tap's mean (adder only) goes into the bias; about two standard deviations of the sum
  // span half of the stored range.
  void set_scales(IntegerLayer& layer, bool adder, double highest, double highest_weight,
                  double taps) {
    const double mean = adder ? taps * highest / 2.5 : 0.0;
    const double deviation = std::sqrt(taps) * highest * (adder ? 0.3 : 0.3 * highest_weight);
    const double factor = 40.0 / deviation;
    layer.shift = scale_shift;
    while (std::ldexp(factor, layer.shift) > 28000.0) --layer.shift;
    const int multiplier = static_cast<int>(std::lround(std::ldexp(factor, layer.shift)));
    for (int o = 0; o < layer.output.shape.channels; ++o) {
      const int own = multiplier - multiplier / 8 + between(0, multiplier / 4);
      layer.multipliers.push_back(adder ? -own : own);
      const double offset = mean * own + std::ldexp(between(-20, 20), layer.shift);
      layer.biases.push_back(static_cast<std::int64_t>(offset));
    }
  }

  SyntheticOptions options_;
  Network float_network_;
  std::mt19937_64 random_;
  std::vector<int> tensor_of_;  // by layer of the float network: index in network_
  IntegerNetwork network_;
};

}  // namespace

IntegerNetwork synthetic_network(const SyntheticOptions& options) { return Folder(options).run(); }

}  // namespace abacus::test
