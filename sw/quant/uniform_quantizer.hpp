// Plain post-training quantization of one ordinary convolution: symmetric weights with a scale of
// their own for each output channel, one activation scale for the layer.
#pragma once

#include <vector>

#include "sw/quant/quantized_convolution.hpp"

namespace abacus {

struct UniformQuantizerOptions {
  int weight_bits = 8;
  int activation_bits = 8;
  bool activation_signed = false;
};

// The step of the signed grid of `bits` bits that minimises Σ (w − step·level)² over the values;
// searched between a quarter of and the whole step that reaches the largest one. 1 for zeros only.
double best_weight_step(const float* weights, std::size_t count, int bits);

// `weights`: output channel × input channel × ky × kx; `bias`: one an output channel, or empty.
// `activation_step`: of the operands (calibrated range over their highest integer). Throws
// std::invalid_argument for widths outside 2 … 8 or counts that do not fit.
QuantizedConvolution quantize_uniform_layer(const std::vector<float>& weights,
                                            const std::vector<float>& bias, int output_channels,
                                            double activation_step,
                                            const UniformQuantizerOptions& options);

}  // namespace abacus
