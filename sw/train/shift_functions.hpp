// Weights of shift layers: powers of two with a sign, learned as DeepShift-PS learns them (Elhoushi et
// al., CVPR workshops 2021, section 3; the shift layers of ShiftAddNet, You et al., NeurIPS 2020).
#pragma once

#include "sw/train/torch.hpp"

namespace abacus::train {

// Bits of a shift layer's weight, as in the authors' code: exponents −(2^(bits−1) − 2) … 0, a sign, 0.
constexpr int shift_weight_bits = 5;
constexpr int lowest_shift_exponent = -((1 << (shift_weight_bits - 1)) - 2);

// sign(round(s))·2^round(p), element by element: p clamped to lowest_shift_exponent … 0, 0 where |s|
// rounds to 0; halves round to even. Backward as in the authors' code: ds = dw, whatever 2^p is, so that
// a small weight may still change its sign, and dp = ln 2·w·dw, of an exponent beyond the range too.
// The optimizer keeps exponents within it (keep_shift_exponents). Both float32 and of one shape, else
// c10::Error.
torch::Tensor shift_weight(const torch::Tensor& exponent, const torch::Tensor& sign);

// Clamps the exponents in place, as the authors' code does in each pass; beyond the range they would
// stay where they are however their gradients turn.
void keep_shift_exponents(torch::Tensor exponent);

}  // namespace abacus::train
