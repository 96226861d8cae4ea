// Networks of shift layers: their weights are powers of two already.
#include "sw/quant/calibrate/layer_plans.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/schemes/scheme_options.hpp"
#include "sw/quant/schemes/stages.hpp"

namespace abacus::quant::schemes {

QuantizationScheme shift() {
  QuantizationScheme scheme;
  scheme.name = "shift";
  scheme.arithmetic = network::Arithmetic::shift;
  scheme.networks = "networks of shift layers";
  scheme.summary = "weights that are powers of two already";
  scheme.options = joined(operand_widths(), common_options(), TakenOptions{fraction_bits("8")});
  scheme.plan = plan_shift_layer;
  scheme.realize = round_and_estimate;
  return scheme;
}

}  // namespace abacus::quant::schemes
