#include "sw/quant/layers/apply_plan.hpp"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sw/network/graph_folding.hpp"
#include "sw/quant/layers/binary_quantizer.hpp"
#include "sw/quant/layers/shift_quantizer.hpp"
#include "sw/quant/layers/table_quantizer.hpp"
#include "sw/quant/plan/adapter_arithmetic.hpp"
#include "sw/quant/plan/fixed_point.hpp"

namespace abacus::quant {
namespace {

std::vector<double> real_parameter(const network::Checkpoint& checkpoint, const std::string& name) {
  const std::vector<float> values = checkpoint.tensors.at(name).values<float>();
  return {values.begin(), values.end()};
}

void set_batch_norm(const network::Checkpoint& checkpoint, QuantizedLayer& layer) {
  if (layer.folded.batch_norm == network::no_tensor) return;
  const std::string& name =
      checkpoint.network.layers[static_cast<std::size_t>(layer.folded.batch_norm)].name;
  layer.batch_norm.weight = real_parameter(checkpoint, name + ".weight");
  layer.batch_norm.bias = real_parameter(checkpoint, name + ".bias");
  layer.batch_norm.mean = real_parameter(checkpoint, name + ".running_mean");
  layer.batch_norm.variance = real_parameter(checkpoint, name + ".running_var");
}

}  // namespace

void set_operands(const network::Checkpoint& checkpoint, const ConvolutionPlan& plan,
                  const network::StoredTensor& input, QuantizedLayer& layer) {
  const network::Layer& from =
      checkpoint.network.layers[static_cast<std::size_t>(layer.folded.layer)];
  const std::vector<float> weights =
      from.computes(network::Arithmetic::shift)
          ? shift_weights(checkpoint, from)
          : checkpoint.tensors.at(from.name + ".weight").values<float>();
  std::vector<float> bias;
  if (from.convolution().bias) bias = checkpoint.tensors.at(from.name + ".bias").values<float>();
  layer.read_quantizers.clear();
  if (from.computes(network::Arithmetic::bnn)) {
    layer.convolution = quantize_binary_layer(weights, bias, from.output.channels);
    layer.read_quantizers.push_back({1, 0});
    return;
  }
  layer.convolution = plan.element ? quantize_table_convolution(plan, weights, bias)
                      : from.computes(network::Arithmetic::adder)
                          ? quantize_adder_convolution(plan, weights, bias)
                          : quantize_ordinary_convolution(plan, weights, bias);
  const bool adapts = layer.convolution.adapter.channels > 0;
  for (const double step : layer.convolution.activation_step) {
    const double ratio = input.scale / step;
    layer.read_quantizers.push_back(adapts ? adaptable_read_quantizer(ratio)
                                           : read_quantizer(ratio));
  }
}

QuantizedNetwork apply_plan(const network::Checkpoint& checkpoint, const QuantizationPlan& plan) {
  const std::vector<network::FoldedLayer> folded = network::fold_graph(checkpoint.network);
  if (plan.outputs.size() != folded.size() || plan.convolutions.size() != folded.size()) {
    throw std::invalid_argument("a plan of " + std::to_string(plan.outputs.size()) +
                                " outputs and " + std::to_string(plan.convolutions.size()) +
                                " convolutions for " + std::to_string(folded.size()) + " layers");
  }
  QuantizedNetwork result;
  result.network = checkpoint.network;
  result.normalization = checkpoint.normalization;
  result.image = plan.image;
  for (std::size_t i = 0; i < folded.size(); ++i) {
    QuantizedLayer layer;
    layer.folded = folded[i];
    layer.output = plan.outputs[i];
    if (folded[i].kind == network::IntegerLayerKind::convolution) {
      try {
        set_operands(checkpoint, plan.convolutions[i], result.tensor(folded[i].input), layer);
      } catch (const std::invalid_argument& error) {
        throw std::invalid_argument("layer \"" + folded[i].name + "\": " + error.what());
      } catch (const std::range_error& error) {
        throw std::range_error("layer \"" + folded[i].name + "\": " + error.what());
      }
      set_batch_norm(checkpoint, layer);
    }
    result.layers.push_back(std::move(layer));
  }
  return result;
}

}  // namespace abacus::quant
