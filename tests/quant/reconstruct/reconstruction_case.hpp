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
  network::Dataset images = synthetic_dataset(64, 3, {1, 12, 12});
  network::Checkpoint checkpoint;
  quant::CalibrationData data{images, {}, {}};
  quant::QuantizedNetwork quantized;

  ReconstructionCase(const std::string& name, network::Arithmetic arithmetic, int bits,
                     int groups = 4) {
    data.normalization.mean = {0.4F};
    data.normalization.deviation = {0.3F};
    const train::Batch batch =
        train::make_batch(images, data.normalization, std::int64_t{0}, images.count());
    checkpoint =
        random_checkpoint(name, arithmetic, images.image, images.classes, batch.images, 17);
    data.normalization = checkpoint.normalization;
    quant::QuantizationOptions asked;
    const bool adder = arithmetic == network::Arithmetic::adder;
    asked.scheme = adder ? "adderquant-ptq" : "uniform-ptq";
    asked.weight_bits = bits;
    asked.activation_bits = bits;
    if (adder) asked.groups = groups;
    const quant::CompletedOptions options = quant::complete(asked);
    const std::vector<network::FoldedLayer> folded = network::fold_graph(checkpoint.network);
    train::FloatNetwork network(checkpoint.network, checkpoint.tensors);
    quant::QuantizationPlan plan = quant::make_plan(
        checkpoint, folded,
        quant::calibrate(network, folded, data, 64, quant::calibration_alpha(options), {}),
        options);
    if (!adder) quant::set_brecq_weight_steps(plan, checkpoint);
    quantized = quant::apply_plan(checkpoint, plan);
    if (adder)
      quant::estimate_batch_norms(quantized, checkpoint, data,
                                  quant::BatchNormEstimation::estimated, 64, {});
  }
  // `data` refers to this object's images.
  ReconstructionCase(const ReconstructionCase&) = delete;
  ReconstructionCase& operator=(const ReconstructionCase&) = delete;

  train::FloatNetwork float_network() const { return {checkpoint.network, checkpoint.tensors}; }
};

}  // namespace abacus::test
