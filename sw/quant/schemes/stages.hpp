// What schemes do with a plan: the steps that more than one of them takes.
#pragma once

#include "sw/network/checkpoint.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/calibrate/layer_calibration.hpp"
#include "sw/quant/options/quantization_options.hpp"
#include "sw/quant/options/quantization_progress.hpp"
#include "sw/quant/plan/quantization_plan.hpp"
#include "sw/quant/plan/quantized_network.hpp"
#include "sw/train/modules.hpp"

namespace abacus::quant {

// What there is to work with.
struct QuantizationWork {
  const network::Checkpoint& checkpoint;
  train::FloatNetwork& float_network;  // of the checkpoint
  const CalibrationData& data;
  const CompletedOptions& options;
  const QuantizationProgress& progress;
};

// Rounds the weights, layer by layer where the options ask for anything of that
// (layer_calibration.hpp). BatchNorms are as that leaves them.
LayerCalibration round_weights(const QuantizationWork& work, QuantizationPlan plan);

// As the options have it.
void estimate_batch_norms(const QuantizationWork& work, QuantizedNetwork& network);

// Both.
QuantizedNetwork round_and_estimate(const QuantizationWork& work, QuantizationPlan plan);

// Of adder networks: both, and the reconstruction that the options ask for.
QuantizedNetwork round_and_reconstruct(const QuantizationWork& work, QuantizationPlan plan);

// "reconstruction", for the reconstructions.
std::function<void(std::int64_t done, std::int64_t total)> reconstruction_progress(
    const QuantizationWork& work);

}  // namespace abacus::quant
