// Ordinary networks: weights ±2^−i and 0, of a channel's scale.
#include "sw/quant/calibrate/layer_plans.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/schemes/scheme_options.hpp"
#include "sw/quant/schemes/stages.hpp"

namespace abacus::quant::schemes {

QuantizationScheme pot() {
  QuantizationScheme scheme;
  scheme.name = "pot";
  scheme.arithmetic = network::Arithmetic::cnn;
  scheme.networks = "ordinary networks";
  scheme.summary =
      "uniform-ptq with powers of two for weights, those of "
      "[qat.md](qat.md#quantizers-of-ordinary-networks)";
  scheme.options = joined(operand_widths(), common_options(), TakenOptions{fraction_bits("8")});
  scheme.check = [](const CompletedOptions& options) {
    abacus::quant::check(WeightPlan{WeightQuantizer::pot, options.weight_bits, 0, {}});
  };
  scheme.plan = [](const LayerToPlan& layer, const CompletedOptions& options) {
    return plan_exponent_layer(layer, WeightQuantizer::pot, options);
  };
  scheme.realize = round_and_estimate;
  return scheme;
}

}  // namespace abacus::quant::schemes
