// adder_cuda.hpp's kernels for what nearly all layers of a residual network are: 3 × 3 taps, stride
// 1, padding 1, on square images of 8, 16 or 32 pixels. Several times as fast as the general ones.
#pragma once

#include "sw/kernels/cuda/adder_cuda.hpp"

namespace abacus::kernels {

// Whether the kernels below are for that shape; channels are multiples of four.
bool has_window_kernels(const AdderShape& shape);

// As cuda_adder_forward() and the others; the caller looks for errors of the launch.
void window_forward(const AdderShape& shape, const CudaAdderOperands& operands, float* output);
void window_input_gradient(const AdderShape& shape, const CudaAdderOperands& operands, float slope,
                           const float* output_gradient, float* input_gradient);
// The weight gradient is the sum of so many `parts`, each as large as the weights.
int window_parts(const AdderShape& shape);
void window_weight_gradient(const AdderShape& shape, const CudaAdderOperands& operands,
                            CudaWeightGradient kind, const float* output_gradient, float* parts);

}  // namespace abacus::kernels
