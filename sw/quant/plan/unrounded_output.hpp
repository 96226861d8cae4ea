// The stored integers that a quantized network's layer gives before they are rounded, where scales are
// real numbers: with gradients or without, whatever its convolutions compute.
#pragma once

#include <cstddef>
#include <functional>

#include "sw/quant/plan/quantized_network.hpp"
#include "sw/train/torch.hpp"

namespace abacus::quant {

// `input`, `residual`: stored integers, N×C×H×W; the residual is undefined where the layer has none.
// ReLU and rounding are still to come. `convolve` gives a convolution's, its residual included.
torch::Tensor unrounded_output(const QuantizedNetwork& network, std::size_t index,
                               const torch::Tensor& input, const torch::Tensor& residual,
                               const std::function<torch::Tensor()>& convolve);

}  // namespace abacus::quant
