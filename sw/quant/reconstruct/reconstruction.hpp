// Block reconstruction of a quantized adder network: unit by unit, its weights, ranges and
// BatchNorms learn to give the float network's outputs. BRECQ's procedure (Li et al., "BRECQ:
// Pushing the Limit of Post-Training Quantization by Block Reconstruction", ICLR 2021) carried over
// to adder layers; ordinary networks have BRECQ itself (brecq.hpp). No label is looked at.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/options/reconstruction_options.hpp"
#include "sw/quant/plan/quantized_network.hpp"
#include "sw/train/modules.hpp"

namespace abacus::quant {

// Mean squared error of a unit's output, in real values, over all images.
struct UnitError {
  std::string unit;  // its last layer's name
  double before = 0;
  double after = 0;
};

// Told how many of all units' iterations are done.
using ReconstructionProgress = std::function<void(std::int64_t done, std::int64_t total)>;

// `network`: quantized, with BatchNorm statistics that fit; its weights, steps, BatchNorms change.
// `float_network`: the one that it was made from. The same arguments give the same result on the
// same machine.
std::vector<UnitError> reconstruct(QuantizedNetwork& network, train::FloatNetwork& float_network,
                                   const CalibrationData& data,
                                   const ReconstructionOptions& options,
                                   const ReconstructionProgress& progress);

}  // namespace abacus::quant
