// Calibration layer by layer: each quantized layer is brought near to the float network's output on
// the same images, with the layers before it already quantized, so that it can make up for their
// errors. No label is looked at, and there is no gradient: every step is a search or a closed form.
#pragma once

#include "sw/network/checkpoint.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/options/quantization_options.hpp"
#include "sw/quant/options/quantization_progress.hpp"
#include "sw/quant/plan/quantization_plan.hpp"
#include "sw/quant/plan/quantized_network.hpp"

namespace abacus::quant {

struct LayerCalibration {
  QuantizationPlan plan;     // with the ranges that the search found
  QuantizedNetwork network;  // with the weights and BatchNorms that came out
};

// Whether the options ask for anything of this.
bool needs_layer_calibration(const CompletedOptions& options);

// For each convolution with a BatchNorm, in order, on options.calibration_images of `data`, its inputs
// being the quantized network's:
// 1. Adder layers, RangeSearch::output_error: 25 activation ranges between the maximum and 1/28 of it
//    are tried on the first 128 images. The layer gets the one that leaves the least Σ (t − ŷ)², or,
//    with several groups, each channel the best of options.groups of them (AdderQuant's clusters are
//    not used then).
// 2. Adder layers, WeightRounding::output_error: up to four rounds of coordinate descent on the
//    weights (adder_rounding.hpp), at 16,384 random places.
// 3. BatchNormEstimation::fitted: BatchNorm's four values a channel become the affine map of the
//    accumulators that minimises Σ (t − ŷ)².
// t is the float network's output before the ReLU, less the quantized residual where there is one, so
// that errors do not pile up along the shortcuts; ŷ the best affine map of the accumulators. What the
// ReLU makes 0 of anyway counts as no error. Without `fitted`, BatchNorms are the checkpoint's in the
// result. Throws as make_plan() does.
LayerCalibration calibrate_layers(const network::Checkpoint& checkpoint, QuantizationPlan plan,
                                  const CalibrationData& data, const CompletedOptions& options,
                                  const QuantizationProgress& progress);

}  // namespace abacus::quant
