// Wang et al., arXiv 2101.10015, the baseline that AdderQuant starts from.
#include "sw/quant/calibrate/layer_plans.hpp"
#include "sw/quant/layers/adder_quantizer.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/schemes/adder_options.hpp"
#include "sw/quant/schemes/stages.hpp"

namespace abacus::quant::schemes {

QuantizationScheme qssf() {
  QuantizationScheme scheme;
  scheme.name = "qssf-ptq";
  scheme.arithmetic = network::Arithmetic::adder;
  scheme.networks = "adder networks";
  scheme.summary = "one scale for a layer's weights and activations, from the range of either";
  scheme.options = joined(operand_widths(), common_options(),
                          TakenOptions{takes(option::operand_grid, OperandGrid::symmetric),
                                       takes(option::shared_scale, SharedScale::activations)});
  scheme.plan = [](const LayerToPlan& layer, const CompletedOptions& options) {
    return plan_shared_scale_layer(layer.weights(), layer.layer.output.channels,
                                   activation_range(layer, options), options.shared_scale,
                                   options.weight_bits, options.activation_bits,
                                   operand_grid(layer.folded, layer.input.is_signed, options));
  };
  scheme.realize = round_and_estimate;
  scheme.trains = true;
  return scheme;
}

}  // namespace abacus::quant::schemes
