#include "sw/quant/quantize.hpp"

#include <utility>
#include <vector>

#include "sw/network/graph_folding.hpp"
#include "sw/quant/calibrate/batch_norm_estimation.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/calibrate/layer_calibration.hpp"
#include "sw/quant/calibrate/make_plan.hpp"
#include "sw/quant/layers/apply_plan.hpp"
#include "sw/quant/qat/network_reconstruction.hpp"
#include "sw/quant/reconstruct/brecq.hpp"
#include "sw/quant/reconstruct/reconstruction.hpp"
#include "sw/quant/simulate/finish.hpp"
#include "sw/train/modules.hpp"

namespace abacus {

IntegerNetwork quantize(const Checkpoint& checkpoint, const Dataset& training,
                        const Dataset* evaluation, const QuantizationOptions& options,
                        const QuantizationProgress& progress, const Dataset* compared,
                        Comparison* comparison) {
  check(options);
  check_scheme(options.scheme, checkpoint, "checkpoint");
  check_images(checkpoint, training);
  if (evaluation != nullptr) check_images(checkpoint, *evaluation);

  const CalibrationData data{training, checkpoint.normalization, options.augmentation,
                             options.seed};
  const std::vector<FoldedLayer> folded = fold_graph(checkpoint.network);
  check_operand_grids(checkpoint, folded, options);
  FloatNetwork float_network(checkpoint.network, checkpoint.tensors);
  const std::vector<TensorStatistics> statistics =
      calibrate(float_network, folded, data, options.calibration_images, calibration_alpha(options),
                [&](std::int64_t done) {
                  if (progress) progress("calibration", done, options.calibration_images);
                });
  QuantizationPlan plan = make_plan(checkpoint, folded, statistics, options);
  if (options.scheme == QuantizationScheme::brecq) set_brecq_weight_steps(plan, checkpoint);
  QuantizedNetwork network;
  if (needs_layer_calibration(options)) {
    LayerCalibration calibration = calibrate_layers(checkpoint, plan, data, options, progress);
    plan = std::move(calibration.plan);
    network = std::move(calibration.network);
  } else {
    network = apply_plan(checkpoint, plan);
  }
  const Reconstruction reconstruction =
      with_defaults(options).reconstruction.value_or(Reconstruction::none);
  if (reconstruction == Reconstruction::network) {
    const Checkpoint tuned =
        reconstruct_network(checkpoint, plan, data, network_reconstruction_options(options),
                            [&](std::int64_t done, std::int64_t total) {
                              if (progress) progress("reconstruction", done, total);
                            });
    network = apply_plan(tuned, plan);
  }
  // BRECQ learns against the statistics that the checkpoint has; new ones belong to its result.
  if (options.scheme != QuantizationScheme::brecq) {
    estimate_batch_norms(network, checkpoint, data, options, progress);
  }
  const ReconstructionProgress iterations = [&](std::int64_t done, std::int64_t total) {
    if (progress) progress("reconstruction", done, total);
  };
  if (options.scheme == QuantizationScheme::brecq) {
    brecq(network, float_network, data, brecq_options(options), iterations);
    estimate_batch_norms(network, checkpoint, data, options, progress);
  } else if (reconstruction == Reconstruction::block) {
    reconstruct(network, float_network, data, reconstruction_options(options), iterations);
  }
  IntegerNetwork result =
      finish(network, checkpoint, to_string(options.scheme), options.weight_bits,
             options.activation_bits, evaluation, progress);
  if (compared != nullptr && comparison != nullptr) {
    *comparison = compare_with_float(network, float_network, *compared, progress);
  }
  return result;
}

}  // namespace abacus
