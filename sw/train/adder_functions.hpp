// The adder operator with AdderNet's gradients, as functions on tensors. Shapes as in
// torch::conv2d: N×C×H×W, O×I×k×k. On the processor or, where built with CUDA, on a GPU.
#pragma once

#include "sw/train/torch.hpp"

namespace abacus::train {

// −Σ |x − w| over the taps (adder_kernels.hpp); gradients clamp(W − X, −1, 1)·dY for the input,
// (X − W)·dY for the weight (AdderNet, CVPR 2020, eqs. 2, 5–7).
torch::Tensor adder_conv2d(const torch::Tensor& input, const torch::Tensor& weight, int stride,
                           int padding);

// Which gradients an adder layer hands back.
enum class AdderGradient {
  adder_net,  // clamp(W − X, −1, 1)·dY for the input, (X − W)·dY for the weight, as above
  exact       // sign(W − X)·dY and sign(X − W)·dY: the output's own
};

// The same of operands on one grid: input in 0..255 and weight any integer, times `unit`; values
// off the grid count as their nearest on it. The output is exact, each sum rounded once. The
// gradients are those at the operands on the grid, handed on to the operands as given, and as close
// as adder_grid_kernels.hpp (exact: adder_sign_kernels.hpp) says. On a GPU all sums are float32's
// (below 2^24 units exact), and inputs may be any integer. Throws c10::Error for an input outside of the
// grid.
torch::Tensor adder_conv2d_on_grid(const torch::Tensor& input, const torch::Tensor& weight,
                                   double unit, int stride, int padding,
                                   AdderGradient gradient = AdderGradient::adder_net);

// adder_conv2d_on_grid with the grid that just holds the batch: unit = max(input) / 255 or, where some
// inputs are negative, (max − min) / 255, both operands moved by −min, which their distance does not
// see. On the processor alone. Throws c10::Error for an input that is not finite.
torch::Tensor adder_conv2d_int8(const torch::Tensor& input, const torch::Tensor& weight, int stride,
                                int padding);

}  // namespace abacus::train
