#include "sw/quant/plan/quantized_network.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "sw/quant/plan/adapter_arithmetic.hpp"
#include "sw/support/overloaded.hpp"

namespace abacus::quant {
namespace {

// In squared accumulator steps. A channel whose accumulator varies less than this is dead (the
// rounding of a single live operand gives 1/12).
constexpr double dead_variance = 1e-3;

std::vector<std::int16_t> input_table(const QuantizedNetwork& network) {
  std::vector<std::int16_t> table;
  for (int c = 0; c < network.image.shape.channels; ++c) {
    const float mean = network.normalization.mean[static_cast<std::size_t>(c)];
    const float deviation = network.normalization.deviation[static_cast<std::size_t>(c)];
    for (int pixel = 0; pixel < 256; ++pixel) {
      const float value = (static_cast<float>(pixel) / 255.0F - mean) / deviation;
      table.push_back(static_cast<std::int16_t>(quantize_pixel(network.image, value)));
    }
  }
  return table;
}

void set_convolution(const QuantizedNetwork& network, const QuantizedLayer& from,
                     network::IntegerLayer& to) {
  const QuantizedConvolution& convolution = from.convolution;
  to.arithmetic = convolution.element ? network::Arithmetic::table
                                      : convolution.code.exponents.value_or(to.arithmetic);
  to.levels = convolution.code.magnitudes;
  to.first_exponents = convolution.code.first_exponents;
  to.second_exponents = convolution.code.second_exponents;
  to.fraction_bits = convolution.fraction_bits;
  to.set_operands(convolution);
  to.weights = convolution.weights;
  to.group = convolution.group;
  to.read_quantizers = from.read_quantizers;
  const double residual_gain =
      to.residual == network::no_tensor ? 0.0 : network.tensor(to.residual).scale / to.output.scale;
  const bool adapts = convolution.adapter.channels > 0;
  if (adapts) to.adapter = integer_adapter(convolution.adapter, network.tensor(to.input));
  ScaleUnit unit =
      scale_unit(affine_channels(from), residual_gain, convolution.fraction_bits,
                 adapts ? adapted_scale_multiplier : network::largest_scale_multiplier);
  to.multipliers = std::move(unit.multipliers);
  to.biases = std::move(unit.biases);
  to.residual_multiplier = unit.residual_multiplier;
  to.residual_shift = unit.residual_shift;
  to.shift = unit.shift;
}

void set_addition(const QuantizedNetwork& network, network::IntegerLayer& to) {
  const AddScale scale = add_scale(network.tensor(to.input).scale / to.output.scale,
                                   network.tensor(to.residual).scale / to.output.scale);
  to.multiplier = scale.multiplier;
  to.left_shift = scale.left_shift;
  to.residual_multiplier = scale.second_multiplier;
  to.residual_shift = scale.second_left_shift;
  to.shift = scale.shift;
}

// `values`: how many are summed.
void set_pool(const QuantizedNetwork& network, int values, network::IntegerLayer& to) {
  const double gain = network.tensor(to.input).scale / to.output.scale / values;
  const PoolScale scale = pool_scale(gain);
  to.multiplier = scale.multiplier;
  to.shift = scale.shift;
}

}  // namespace

std::vector<network::FoldedLayer> QuantizedNetwork::folded() const {
  std::vector<network::FoldedLayer> result;
  for (const QuantizedLayer& layer : layers) result.push_back(layer.folded);
  return result;
}

std::vector<AffineChannel> affine_channels(const QuantizedLayer& layer) {
  const QuantizedConvolution& convolution = layer.convolution;
  const BatchNormChannels& norm = layer.batch_norm;
  const double scale = layer.output.scale;
  std::vector<AffineChannel> channels;
  for (std::size_t o = 0; o < convolution.accumulator_step.size(); ++o) {
    const double step = convolution.accumulator_step[o];
    if (norm.weight.empty()) {
      channels.push_back({step / scale, 0.0, convolution.offset[o] / scale});
      continue;
    }
    // A dead channel's gain would be huge, and cost all others their precision for nothing.
    const bool dead = norm.variance[o] < dead_variance * step * step;
    const double gain =
        dead ? 0 : norm.weight[o] / std::sqrt(norm.variance[o] + BatchNormChannels::epsilon);
    channels.push_back(
        {gain * step / scale, (norm.mean[o] - convolution.offset[o]) / step, norm.bias[o] / scale});
  }
  return channels;
}

int quantize_pixel(const network::StoredTensor& image, float value) {
  const double level = std::floor(static_cast<double>(value) / image.scale + 0.5);
  return static_cast<int>(
      std::clamp(level, static_cast<double>(image.lowest()), static_cast<double>(image.highest())));
}

network::IntegerNetwork to_integer_network(const QuantizedNetwork& network) {
  network::IntegerNetwork result;
  result.origin.network = network.network.name;
  result.origin.arithmetic = network.network.arithmetic;
  result.image = network.image;
  result.input_table = input_table(network);
  result.classes = network.network.classes;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const QuantizedLayer& from = network.layers[i];
    network::IntegerLayer to = network::integer_layer(network.network, from.folded);
    to.output = from.output;
    try {
      std::visit(
          support::Overloaded{
              [&](const network::Convolution&) { set_convolution(network, from, to); },
              [&](const network::Add&) { set_addition(network, to); },
              [&](const network::AveragePool& of) { set_pool(network, of.kernel * of.kernel, to); },
              [&](const network::MaxPool&) { set_pool(network, 1, to); },
              [](const network::BatchNorm&) { network::throw_folded_away(); },
              [](const network::Relu&) { network::throw_folded_away(); }},
          network.source(i).kind);
    } catch (const std::range_error& error) {
      throw std::range_error("layer \"" + to.name + "\": " + error.what());
    }
    // A network that was trained as an ordinary one is, to its package, what its inner layers are.
    const bool exponents = to.kind == network::IntegerLayerKind::convolution &&
                           hw::has_exponent_weights(to.arithmetic);
    if (exponents && network.network.arithmetic == network::Arithmetic::cnn) {
      result.origin.arithmetic = to.arithmetic;
    }
    if (from.convolution.element) {
      result.origin.arithmetic = network::Arithmetic::table;
      result.element = *from.convolution.element;
    }
    result.layers.push_back(std::move(to));
  }
  return result;
}

}  // namespace abacus::quant
