// BRECQ for ordinary networks (Li et al., "BRECQ: Pushing the Limit of Post-Training Quantization by
// Block Reconstruction", ICLR 2021), as its authors' code does it: unit by unit, AdaRound of the
// weights against the float unit's output, inputs from the quantized network so far; then, again
// unit by unit, the activations' steps. Plain mean squared error, no label.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/options/reconstruction_options.hpp"
#include "sw/quant/plan/quantization_plan.hpp"
#include "sw/quant/plan/quantized_network.hpp"
#include "sw/quant/reconstruct/reconstruction.hpp"
#include "sw/train/modules.hpp"

namespace abacus::quant {

// Gives the plan of an ordinary network BRECQ's initial weight steps (adaround.hpp).
void set_brecq_weight_steps(QuantizationPlan& plan, const network::Checkpoint& checkpoint);

// `network`: quantized as such a plan says, with the checkpoint's own BatchNorms, which stay. Its
// weights, each to one of the two levels around it, and its operands' steps change. The errors are
// those before anything was learned, at nearest rounding, and after the activations' steps. The
// same arguments give the same result on the same machine. Throws std::invalid_argument for
// networks that have adder layers.
std::vector<UnitError> brecq(QuantizedNetwork& network, train::FloatNetwork& float_network,
                             const CalibrationData& data, const BrecqOptions& options,
                             const ReconstructionProgress& progress);

}  // namespace abacus::quant
