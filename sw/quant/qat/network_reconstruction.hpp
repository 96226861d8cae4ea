// Post-training tuning of a whole quantized adder network on a few unlabelled images: the scores of
// the float network are what it learns from. Forward on the integer grids (qat_network.hpp), backward
// by the exact gradients of Σ |x − w| (AdderGradient::exact) with Adam.
#pragma once

#include <cstdint>
#include <functional>

#include "sw/network/checkpoint.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/options/reconstruction_options.hpp"
#include "sw/quant/plan/quantization_plan.hpp"

namespace abacus::quant {

// The checkpoint's parameters, tuned for the plan's grids. BatchNorm's statistics are the
// checkpoint's: they are to be estimated anew. `data`: the first of its images in an order that the
// seed decides are used. Loss: Kullback-Leibler divergence of the class probabilities from the float
// network's, both at the temperature, times its square; BatchNorm with the batch's statistics. Throws std::invalid_argument for options out of
// range and for adder layers with signed activations, naming them.
network::Checkpoint reconstruct_network(
    const network::Checkpoint& checkpoint, const QuantizationPlan& plan,
    const CalibrationData& data, const NetworkReconstructionOptions& options,
    const std::function<void(std::int64_t, std::int64_t)>& progress);

}  // namespace abacus::quant
