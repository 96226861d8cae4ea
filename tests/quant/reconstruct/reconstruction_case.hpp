// A small network, quantized by a plan, as reconstruction finds it.
#pragma once

#include <string>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/quant/calibrate/batch_norm_estimation.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/calibrate/make_plan.hpp"
#include "sw/quant/layers/apply_plan.hpp"
#include "sw/quant/options/quantization_options.hpp"
#include "sw/quant/plan/quantized_network.hpp"
#include "sw/quant/reconstruct/brecq.hpp"
#include "sw/train/batches.hpp"
#include "sw/train/modules.hpp"
#include "tests/quant/random_checkpoint.hpp"
#include "tests/train/synthetic_dataset.hpp"

namespace abacus::test {

struct ReconstructionCase {
  Dataset images = synthetic_dataset(64, 3, {1, 12, 12});
  Checkpoint checkpoint;
  CalibrationData data{images, {}, {}};
  QuantizedNetwork quantized;

  ReconstructionCase(const std::string& name, Arithmetic arithmetic, int bits, int groups = 4) {
    data.normalization.mean = {0.4F};
    data.normalization.deviation = {0.3F};
    const Batch batch = make_batch(images, data.normalization, std::int64_t{0}, images.count());
    checkpoint =
        random_checkpoint(name, arithmetic, images.image, images.classes, batch.images, 17);
    data.normalization = checkpoint.normalization;
    QuantizationOptions asked;
    const bool adder = arithmetic == Arithmetic::adder;
    asked.scheme = adder ? "adderquant-ptq" : "uniform-ptq";
    asked.weight_bits = bits;
    asked.activation_bits = bits;
    if (adder) asked.groups = groups;
    const CompletedOptions options = complete(asked);
    const std::vector<FoldedLayer> folded = fold_graph(checkpoint.network);
    FloatNetwork network(checkpoint.network, checkpoint.tensors);
    QuantizationPlan plan =
        make_plan(checkpoint, folded,
                  calibrate(network, folded, data, 64, calibration_alpha(options), {}), options);
    if (!adder) set_brecq_weight_steps(plan, checkpoint);
    quantized = apply_plan(checkpoint, plan);
    if (adder)
      estimate_batch_norms(quantized, checkpoint, data, BatchNormEstimation::estimated, 64, {});
  }
  // `data` refers to this object's images.
  ReconstructionCase(const ReconstructionCase&) = delete;
  ReconstructionCase& operator=(const ReconstructionCase&) = delete;

  FloatNetwork float_network() const { return {checkpoint.network, checkpoint.tensors}; }
};

}  // namespace abacus::test
