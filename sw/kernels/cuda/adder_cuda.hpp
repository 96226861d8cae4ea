// The adder operator on an Nvidia GPU: forward and both gradients, in float32 and bit for bit the
// same from run to run. All pointers are to the GPU's memory; the work is put on its default stream.
//
// Activations are NHWC, weights OIHW, as in adder_kernels.hpp, whose AdderShape this takes. Throws
// std::runtime_error when the GPU refuses; built without CUDA, always.
#pragma once

#include "sw/kernels/adder_kernels.hpp"

namespace abacus::kernels {

bool built_with_cuda();

// How the operands are meant.
struct CudaAdderOperands {
  const float* input;
  const float* weight;
  // 0: as they are. Else both stand for the nearest whole number of units, the weights' within
  // ±kLargestGridWeight, and are taken as those numbers.
  float unit = 0;
};

// Y = −Σ |X − W| (AdderNet, CVPR 2020, eq. 2), times the unit if there is one.
void cuda_adder_forward(const AdderShape& shape, const CudaAdderOperands& operands, float* output);

// dX = Σ clamp(slope·(W − X), −1, 1)·dY. Slope: 1, or the unit, gives eq. 6; of whole numbers 1 gives
// the sign, the output's own gradient.
void cuda_adder_input_gradient(const AdderShape& shape, const CudaAdderOperands& operands,
                               float slope, const float* output_gradient, float* input_gradient);

enum class CudaWeightGradient {
  difference,  // dW = Σ (X − W)·dY (eq. 5), times the unit if there is one
  sign         // dW = Σ sign(X − W)·dY of operands on a grid of units
};

// Floats that cuda_adder_weight_gradient needs as `scratch`.
std::int64_t cuda_adder_scratch(const AdderShape& shape);

void cuda_adder_weight_gradient(const AdderShape& shape, const CudaAdderOperands& operands,
                                CudaWeightGradient kind, const float* output_gradient,
                                float* scratch, float* weight_gradient);

}  // namespace abacus::kernels
