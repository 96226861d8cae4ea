// AdderQuant (Nie et al., NeurIPS 2022), with what its authors' code does besides the paper.
#include "sw/quant/calibrate/layer_plans.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/schemes/adder_options.hpp"
#include "sw/quant/schemes/stages.hpp"

namespace abacus::quant::schemes {

QuantizationScheme adderquant() {
  QuantizationScheme scheme;
  scheme.name = "adderquant-ptq";
  scheme.arithmetic = network::Arithmetic::adder;
  scheme.networks = "adder networks";
  scheme.summary = "AdderQuant: grouped scales, weight clamp, activation clamp";
  scheme.options = joined(
      operand_widths(), common_options(), group_options(4),
      TakenOptions{takes(option::weight_clamp, true),
                   takes(option::operand_grid, OperandGrid::unsigned_activations)},
      adjustment_options(RangeSearch::none, usually(option::reconstruction, Reconstruction::none)));
  scheme.check = check_adjustment;
  scheme.plan = plan_grouped_layer;
  scheme.realize = round_and_reconstruct;
  scheme.trains = true;
  return scheme;
}

}  // namespace abacus::quant::schemes
