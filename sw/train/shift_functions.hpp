// Weights of shift layers: powers of two with a sign, learned as DeepShift-PS learns them (Elhoushi et
// al., CVPR workshops 2021, section 3; the shift layers of ShiftAddNet, You et al., NeurIPS 2020).
#pragma once

#include "sw/train/torch.hpp"

namespace abacus {

// Bits of a shift layer's weight, as in the authors' code: exponents −(2^(bits−1) − 2) … 0, a sign, 0.
constexpr int shift_weight_bits = 5;
constexpr int lowest_shift_exponent = -((1 << (shift_weight_bits - 1)) - 2);

// sign(round(s))·2^round(p), element by element: p clamped to lowest_shift_exponent … 0, 0 where |s|
// rounds to 0; halves round to even. Backward, rounding and sign count as the identity and the clamp as
// what it is: ds = 2^p·dw, dp = ln 2·w·dw. Both float32 and of one shape, else c10::Error.
torch::Tensor shift_weight(const torch::Tensor& exponent, const torch::Tensor& sign);

}  // namespace abacus
