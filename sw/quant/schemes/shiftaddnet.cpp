// ShiftAddNets: shift layers as they are, adder layers as of adderquant-ptq.
#include "sw/quant/calibrate/layer_plans.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/schemes/adder_options.hpp"
#include "sw/quant/schemes/stages.hpp"

namespace abacus::quant::schemes {

QuantizationScheme shiftaddnet() {
  QuantizationScheme scheme;
  scheme.name = "shiftaddnet";
  scheme.arithmetic = network::Arithmetic::shiftaddnet;
  scheme.networks = "ShiftAddNets";
  scheme.summary = "shift layers as in shift, adder layers as in adderquant-ptq";
  scheme.options =
      joined(operand_widths(), common_options(), group_options(4),
             TakenOptions{takes(option::weight_clamp, true),
                          takes(option::operand_grid, OperandGrid::unsigned_activations),
                          fraction_bits("8")});
  scheme.plan = [](const LayerToPlan& layer, const CompletedOptions& options) {
    return layer.layer.computes(network::Arithmetic::shift) ? plan_shift_layer(layer, options)
                                                            : plan_grouped_layer(layer, options);
  };
  scheme.realize = round_and_estimate;
  return scheme;
}

}  // namespace abacus::quant::schemes
