// BatchNorm's statistics once the layers before it are quantized.
#pragma once

#include <cstdint>

#include "sw/network/checkpoint.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/options/choices.hpp"
#include "sw/quant/options/quantization_progress.hpp"
#include "sw/quant/plan/quantized_network.hpp"

namespace abacus::quant {

// Sets mean and variance of every BatchNorm as `estimation` says, on `count` images of `data`.
// `corrected` moves the statistics that `network` has, which must be the checkpoint's then. Nothing
// changes for `kept`, and for `fitted`, which is layer_calibration.hpp's.
void estimate_batch_norms(QuantizedNetwork& network, const network::Checkpoint& checkpoint,
                          const CalibrationData& data, BatchNormEstimation estimation,
                          std::int64_t count, const QuantizationProgress& progress);

}  // namespace abacus::quant
