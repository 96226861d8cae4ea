// From a network on its integer grids to the package's contents.
#pragma once

#include <string>

#include "sw/network/checkpoint.hpp"
#include "sw/network/dataset.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/quant/options/quantization_progress.hpp"
#include "sw/quant/plan/quantized_network.hpp"

namespace abacus::quant {

// Accuracy in percent of the simulation with fixed-point scales (simulation.hpp) on plain images.
double fake_quantized_accuracy(QuantizedNetwork& network, const network::Dataset& images,
                               const QuantizationProgress& progress);

// Rounds scales and BatchNorms to fixed point, fills in the origin but for the hashes, measures the
// fake-quantized accuracy on `evaluation` (may be null), and validates. Widths are those of the
// layers between the edges. Throws as to_integer_network() and validate() do.
network::IntegerNetwork finish(QuantizedNetwork& network, const network::Checkpoint& checkpoint,
                               const std::string& scheme, int weight_bits, int activation_bits,
                               const network::Dataset* evaluation,
                               const QuantizationProgress& progress);

}  // namespace abacus::quant
