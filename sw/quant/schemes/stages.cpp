#include "sw/quant/schemes/stages.hpp"

#include <utility>

#include "sw/quant/calibrate/batch_norm_estimation.hpp"
#include "sw/quant/layers/apply_plan.hpp"
#include "sw/quant/options/reconstruction_options.hpp"
#include "sw/quant/qat/network_reconstruction.hpp"
#include "sw/quant/reconstruct/reconstruction.hpp"

namespace abacus::quant {

std::function<void(std::int64_t, std::int64_t)> reconstruction_progress(
    const QuantizationWork& work) {
  return [&work](std::int64_t done, std::int64_t total) {
    if (work.progress) work.progress("reconstruction", done, total);
  };
}

LayerCalibration round_weights(const QuantizationWork& work, QuantizationPlan plan) {
  if (needs_layer_calibration(work.options)) {
    return calibrate_layers(work.checkpoint, std::move(plan), work.data, work.options,
                            work.progress);
  }
  QuantizedNetwork network = apply_plan(work.checkpoint, plan);
  return {std::move(plan), std::move(network)};
}

void estimate_batch_norms(const QuantizationWork& work, QuantizedNetwork& network) {
  estimate_batch_norms(network, work.checkpoint, work.data, work.options.batch_norm,
                       work.options.batch_norm_images, work.progress);
}

QuantizedNetwork round_and_estimate(const QuantizationWork& work, QuantizationPlan plan) {
  QuantizedNetwork network = round_weights(work, std::move(plan)).network;
  estimate_batch_norms(work, network);
  return network;
}

QuantizedNetwork round_and_reconstruct(const QuantizationWork& work, QuantizationPlan plan) {
  LayerCalibration rounded = round_weights(work, std::move(plan));
  if (work.options.reconstruction == Reconstruction::network) {
    const network::Checkpoint tuned = reconstruct_network(
        work.checkpoint, rounded.plan, work.data, network_reconstruction_options(work.options),
        reconstruction_progress(work));
    rounded.network = apply_plan(tuned, rounded.plan);
  }
  estimate_batch_norms(work, rounded.network);
  if (work.options.reconstruction == Reconstruction::block) {
    reconstruct(rounded.network, work.float_network, work.data,
                reconstruction_options(work.options), reconstruction_progress(work));
  }
  return std::move(rounded.network);
}

}  // namespace abacus::quant
