// Ordinary networks: block reconstruction with AdaRound (Li et al., ICLR 2021).
#include "sw/quant/reconstruct/brecq.hpp"

#include <utility>

#include "sw/quant/calibrate/layer_plans.hpp"
#include "sw/quant/options/reconstruction_options.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/schemes/scheme_options.hpp"
#include "sw/quant/schemes/stages.hpp"

namespace abacus::quant::schemes {

QuantizationScheme brecq() {
  const BrecqOptions usual;
  QuantizationScheme scheme;
  scheme.name = "brecq";
  scheme.arithmetic = network::Arithmetic::cnn;
  scheme.networks = "ordinary networks";
  scheme.summary = "[reconstruction.md](reconstruction.md)";
  scheme.options =
      joined(operand_widths(), common_options(BatchNormEstimation::kept),
             TakenOptions{takes(option::reconstruction_images, usual.images),
                          takes(option::iterations, usual.iterations),
                          takes(option::activation_iterations, usual.activation_iterations)});
  scheme.check = [](const CompletedOptions& options) {
    abacus::quant::check(brecq_options(options));
  };
  scheme.plan = [](const LayerToPlan& layer, const CompletedOptions& options) {
    return plan_ordinary_layer(layer, options.weight_bits, options.activation_bits);
  };
  scheme.realize = [](const QuantizationWork& work, QuantizationPlan plan) {
    set_brecq_weight_steps(plan, work.checkpoint);
    QuantizedNetwork network = round_weights(work, std::move(plan)).network;
    // It learns against the statistics that the checkpoint has; new ones belong to its result.
    abacus::quant::brecq(network, work.float_network, work.data, brecq_options(work.options),
                         reconstruction_progress(work));
    estimate_batch_norms(work, network);
    return network;
  };
  return scheme;
}

}  // namespace abacus::quant::schemes
