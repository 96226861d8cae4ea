// The gradient that an adder layer's output truly has with respect to its weights: Y = −Σ |X − W|
// gives ∂Y/∂W = Σ sign(X − W). AdderNet trains with X − W instead (adder_kernels.hpp), which leads
// from a random start to good networks but is no derivative: it cannot tell how a trained network's
// weights should move by less than a quantization step.
#pragma once

#include <cstdint>

#include "sw/kernels/adder_grid_kernels.hpp"

namespace abacus::kernels {

// dW = Σ sign(X − W) · dY over the batch's outputs, sign(0) = 0; O×I×k×k. X: N×C×H×W of 0..255, zeros
// around, W any integer, dY: N×O×H'×W'. The byte-wise path rounds dY to 16 bits for every few images
// and needs AVX-512 VNNI; the portable one does not round. Does not depend on the number of threads.
void adder_sign_weight_gradient(const AdderShape& shape, const std::uint8_t* input,
                                const std::int32_t* weight, const float* output_gradient,
                                float* weight_gradient, GridPath path = GridPath::fastest);

}  // namespace abacus::kernels
