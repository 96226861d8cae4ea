// Binary networks, which have one bit from their training: signs.
#include "sw/quant/calibrate/layer_plans.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/schemes/scheme_options.hpp"
#include "sw/quant/schemes/stages.hpp"

namespace abacus::quant::schemes {

QuantizationScheme bnn() {
  const Limits one{1, 1};
  QuantizationScheme scheme;
  scheme.name = "bnn";
  scheme.arithmetic = network::Arithmetic::bnn;
  scheme.networks = "binary networks";
  scheme.summary = "signs";
  scheme.options = joined(
      TakenOptions{takes(option::weight_bits, 1, one), takes(option::activation_bits, 1, one)},
      common_options());
  scheme.plan = [](const LayerToPlan&, const CompletedOptions& options) {
    ConvolutionPlan plan;
    plan.weight_bits = options.weight_bits;
    plan.activation_bits = options.activation_bits;
    plan.activation_signed = true;
    return plan;
  };
  scheme.realize = round_and_estimate;
  return scheme;
}

}  // namespace abacus::quant::schemes
