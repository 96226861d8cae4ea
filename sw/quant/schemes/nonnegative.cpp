// Adder networks whose adder layers all follow ReLUs: both operands unsigned (OperandGrid::nonnegative).
#include "sw/quant/calibrate/layer_plans.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/schemes/adder_options.hpp"
#include "sw/quant/schemes/stages.hpp"

namespace abacus::quant::schemes {

QuantizationScheme nonnegative() {
  QuantizationScheme scheme;
  scheme.name = "nonnegative-ptq";
  scheme.arithmetic = network::Arithmetic::adder;
  scheme.networks = "adder networks whose adder layers all follow ReLUs";
  scheme.summary = "both operands unsigned, ranges by the error of the layer's output";
  scheme.options =
      joined(operand_widths(), common_options(), group_options(1),
             TakenOptions{fixes(option::weight_clamp, true),
                          fixes(option::operand_grid, OperandGrid::nonnegative)},
             adjustment_options(RangeSearch::output_error,
                                usually(option::reconstruction, Reconstruction::none)));
  scheme.check = check_adjustment;
  scheme.plan = plan_grouped_layer;
  scheme.realize = round_and_reconstruct;
  scheme.trains = true;
  return scheme;
}

}  // namespace abacus::quant::schemes
