// Ordinary networks: weights that are sums of two powers of two (Li et al., ICLR 2020).
#include "sw/quant/calibrate/layer_plans.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/schemes/scheme_options.hpp"
#include "sw/quant/schemes/stages.hpp"

namespace abacus::quant::schemes {

QuantizationScheme apot() {
  QuantizationScheme scheme;
  scheme.name = "apot";
  scheme.arithmetic = network::Arithmetic::cnn;
  scheme.networks = "ordinary networks";
  scheme.summary =
      "uniform-ptq with sums of powers of two for weights, those of "
      "[qat.md](qat.md#quantizers-of-ordinary-networks)";
  scheme.options = joined(operand_widths(), common_options(), TakenOptions{fraction_bits("8")});
  scheme.check = [](const CompletedOptions& options) {
    abacus::quant::check(WeightPlan{WeightQuantizer::apot, options.weight_bits, 0, {}});
  };
  scheme.plan = [](const LayerToPlan& layer, const CompletedOptions& options) {
    return plan_exponent_layer(layer, WeightQuantizer::apot, options);
  };
  scheme.realize = round_and_estimate;
  return scheme;
}

}  // namespace abacus::quant::schemes
