// Ordinary networks: weights ±2^(−i/2) and 0, of a channel's scale (ASQ, eq. 17).
#include "sw/network/integer_limits.hpp"
#include "sw/quant/calibrate/layer_plans.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/schemes/scheme_options.hpp"
#include "sw/quant/schemes/stages.hpp"

namespace abacus::quant::schemes {

QuantizationScheme post() {
  QuantizationScheme scheme;
  scheme.name = "post";
  scheme.arithmetic = network::Arithmetic::cnn;
  scheme.networks = "ordinary networks";
  scheme.summary =
      "uniform-ptq with powers of √2 for weights, those of "
      "[qat.md](qat.md#quantizers-of-ordinary-networks)";
  scheme.options =
      joined(operand_widths(), common_options(),
             TakenOptions{fraction_bits(
                 "as many as its longest shift drops: 3 up to 4 weight bits, 7 at 5, else 8",
                 Limits{2, network::largest_table_fraction_bits})});
  scheme.check = [](const CompletedOptions& options) {
    abacus::quant::check(WeightPlan{WeightQuantizer::post, options.weight_bits, 0, {}});
  };
  scheme.plan = [](const LayerToPlan& layer, const CompletedOptions& options) {
    return plan_exponent_layer(layer, WeightQuantizer::post, options);
  };
  scheme.realize = round_and_estimate;
  return scheme;
}

}  // namespace abacus::quant::schemes
