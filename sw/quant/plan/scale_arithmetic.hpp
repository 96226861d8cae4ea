// The scale units of docs/arithmetic.md on torch tensors, in 64-bit integers. Tensors are N×C×H×W
// and hold integers in float32, as in simulation.hpp, accumulators also in float64; the results are the
// layer's stored output, in float32.
#pragma once

#include "sw/network/integer_network.hpp"
#include "sw/train/torch.hpp"

namespace abacus::quant {

// `accumulators`: in units of 1, of layers with fraction bits multiples of 2^−fraction_bits.
// `residual`: undefined where the layer has none.
torch::Tensor scale_convolution(const network::IntegerLayer& layer,
                                const torch::Tensor& accumulators, const torch::Tensor& residual);
torch::Tensor scale_addition(const network::IntegerLayer& layer, const torch::Tensor& input,
                             const torch::Tensor& residual);
// `values`: the sum, or the maximum, over each window.
torch::Tensor scale_pool(const network::IntegerLayer& layer, const torch::Tensor& values);

}  // namespace abacus::quant
