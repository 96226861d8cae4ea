#include "sw/quant/quantize.hpp"

#include <utility>
#include <vector>

#include "sw/network/dataset_match.hpp"
#include "sw/network/graph_folding.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/calibrate/make_plan.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/schemes/stages.hpp"
#include "sw/quant/simulate/finish.hpp"
#include "sw/train/modules.hpp"

namespace abacus::quant {

network::IntegerNetwork quantize(const network::Checkpoint& checkpoint,
                                 const network::Dataset& training,
                                 const network::Dataset* evaluation,
                                 const CompletedOptions& options,
                                 const QuantizationProgress& progress,
                                 const network::Dataset* compared, Comparison* comparison) {
  check_scheme(options, checkpoint, "checkpoint");
  network::check_images("checkpoint", checkpoint.network, training);
  if (evaluation != nullptr) network::check_images("checkpoint", checkpoint.network, *evaluation);
  if (compared != nullptr) {
    network::check_image_shape("checkpoint", checkpoint.network.input, *compared);
  }

  const CalibrationData data{training, checkpoint.normalization, options.augmentation(),
                             options.seed};
  const std::vector<network::FoldedLayer> folded = network::fold_graph(checkpoint.network);
  check_operand_grids(checkpoint, folded, options);
  train::FloatNetwork float_network(checkpoint.network, checkpoint.tensors);
  const std::vector<TensorStatistics> statistics =
      calibrate(float_network, folded, data, options.calibration_images, calibration_alpha(options),
                [&](std::int64_t done) {
                  if (progress) progress("calibration", done, options.calibration_images);
                });
  const QuantizationWork work{checkpoint, float_network, data, options, progress};
  QuantizedNetwork network =
      options.scheme().realize(work, make_plan(checkpoint, folded, statistics, options));
  network::IntegerNetwork result =
      finish(network, checkpoint, options.scheme().name, options.weight_bits,
             options.activation_bits, evaluation, progress);
  if (compared != nullptr && comparison != nullptr) {
    *comparison = compare_with_float(network, float_network, *compared, progress);
  }
  return result;
}

}  // namespace abacus::quant
