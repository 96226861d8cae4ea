// Binary convolution with gradients: operands −1 and +1, as docs/arithmetic.md defines them.
#pragma once

#include <cstdint>

#include "sw/train/torch.hpp"

namespace abacus::train {

// −1 where the input is negative, else +1, with `padding` positions of −1 on each side of height and
// width. N×C×H×W in float32 or bfloat16; the result is channels-last. Gradient: dY·max(0, 2 − 2|x|),
// the derivative of Bi-Real Net's piecewise polynomial (Liu et al., ECCV 2018, eq. 5).
torch::Tensor padded_sign(const torch::Tensor& input, int padding);

// Both as operations on tensors, which is how a GPU computes them: the values, and the gradient of an
// output's `gradient`.
torch::Tensor padded_sign_of_tensors(const torch::Tensor& input, std::int64_t padding);
torch::Tensor padded_sign_gradient_of_tensors(const torch::Tensor& input,
                                              const torch::Tensor& gradient, std::int64_t padding);

// α·sign(w) with sign(0) = +1 and α = mean |w| over an output channel's weights (XNOR-Net, Rastegari
// et al., ECCV 2016, eq. 6). O×I×k×k, float32. Gradient: dY where |w| ≤ 1 (straight-through), else 0;
// α counts as a constant.
torch::Tensor binary_weight(const torch::Tensor& weight);

// Σ padded_sign(input) · binary_weight(weight); shapes as in torch::conv2d. In the input's number
// format: bfloat16 holds the operands' signs exactly and rounds α and the sums.
torch::Tensor binary_conv2d(const torch::Tensor& input, const torch::Tensor& weight, int stride,
                            int padding);

}  // namespace abacus::train
