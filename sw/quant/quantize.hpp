// Post-training quantization: a trained float network in, an integer network out.
#pragma once

#include "sw/network/checkpoint.hpp"
#include "sw/network/dataset.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/quant/options/quantization_options.hpp"
#include "sw/quant/options/quantization_progress.hpp"
#include "sw/quant/simulate/comparison.hpp"

namespace abacus::quant {

// `training`: images for calibration and BatchNorm re-estimation. `evaluation`: images on which to
// measure the fake-quantized accuracy, may be null. The result has passed validate(); its origin
// lacks only the hashes, which are files' business. `comparison`, if not null, is what it finds on
// `compared` (comparison.hpp). The same arguments give the same result,
// bit for bit, on the same machine. Throws std::invalid_argument for a scheme that is not for the
// network's arithmetic, or images of another shape.
network::IntegerNetwork quantize(const network::Checkpoint& checkpoint,
                                 const network::Dataset& training,
                                 const network::Dataset* evaluation,
                                 const CompletedOptions& options,
                                 const QuantizationProgress& progress,
                                 const network::Dataset* compared = nullptr,
                                 Comparison* comparison = nullptr);

}  // namespace abacus::quant
