// A trained binary convolution as integers: signs, and what one step of their sum is worth.
#pragma once

#include <vector>

#include "sw/quant/plan/quantized_convolution.hpp"

namespace abacus::quant {

// w = −1 where the trained weight is negative, else +1; accumulator_step = mean |w| of the output
// channel (XNOR-Net's α). `weights`: output channel × input channel × ky × kx; `bias`: one an output
// channel, or empty. Throws std::invalid_argument for counts that do not fit.
QuantizedConvolution quantize_binary_layer(const std::vector<float>& weights,
                                           const std::vector<float>& bias, int output_channels);

}  // namespace abacus::quant
