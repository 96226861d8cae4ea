// nonnegative-ptq with everything that helps (docs/quantization.md).
#include "sw/quant/calibrate/layer_plans.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/schemes/adder_options.hpp"
#include "sw/quant/schemes/stages.hpp"

namespace abacus::quant::schemes {

QuantizationScheme best() {
  QuantizationScheme scheme;
  scheme.name = "best-ptq";
  scheme.arithmetic = network::Arithmetic::adder;
  scheme.networks = "the same";
  scheme.summary = "that, and the whole network tuned without labels: our best";
  scheme.options =
      joined(operand_widths(), common_options(BatchNormEstimation::corrected), group_options(1),
             TakenOptions{fixes(option::weight_clamp, true),
                          fixes(option::operand_grid, OperandGrid::nonnegative)},
             adjustment_options(RangeSearch::output_error,
                                by_activation_bits<Reconstruction>(option::reconstruction,
                                                                   {{4, Reconstruction::network}},
                                                                   Reconstruction::none)));
  scheme.check = check_adjustment;
  scheme.plan = plan_grouped_layer;
  scheme.realize = round_and_reconstruct;
  return scheme;
}

}  // namespace abacus::quant::schemes
