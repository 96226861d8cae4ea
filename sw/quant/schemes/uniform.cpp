// Ordinary networks: a step for each output channel's weights, one for a layer's activations.
#include "sw/quant/calibrate/layer_plans.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/schemes/scheme_options.hpp"
#include "sw/quant/schemes/stages.hpp"

namespace abacus::quant::schemes {

QuantizationScheme uniform() {
  QuantizationScheme scheme;
  scheme.name = "uniform-ptq";
  scheme.arithmetic = network::Arithmetic::cnn;
  scheme.networks = "ordinary networks";
  scheme.summary = "a step for each output channel's weights, one for a layer's activations";
  scheme.options = joined(operand_widths(), common_options());
  scheme.plan = [](const LayerToPlan& layer, const CompletedOptions& options) {
    return plan_ordinary_layer(layer, options.weight_bits, options.activation_bits);
  };
  scheme.realize = round_and_estimate;
  scheme.trains = true;
  return scheme;
}

}  // namespace abacus::quant::schemes
