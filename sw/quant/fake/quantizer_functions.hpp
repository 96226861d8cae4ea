// The weight and activation quantizers that quantization-aware training offers for ordinary networks,
// as functions on tensors: forward exactly the levels, backward each paper's gradient.
#pragma once

#include "sw/quant/activations/activation_quantizer.hpp"
#include "sw/quant/fake/fake_quantization.hpp"
#include "sw/quant/plan/adapter_arithmetic.hpp"
#include "sw/quant/weights/weight_quantizer.hpp"
#include "sw/train/torch.hpp"

namespace abacus::quant {

// `values`; the gradient goes to `surrogate`, of the same shape, unchanged.
torch::Tensor straight_through(const torch::Tensor& surrogate, const torch::Tensor& values);

// The values of `quantized`, which quantize_weights(plan, weights) has made, in the weights' shape
// (output channel first). `parameters`: plan.parameters as a float64 tensor, which may be learned. What
// the gradient is that of, rounding counted as the identity:
//   lsq    s·clamp(w/s, −Q_N, Q_P), of s too (LSQ, eq. 3)
//   pact   w, as the authors have it: beyond the range too
//   dorefa tanh(w) / max|tanh(w)|, of the maximum too
//   pot, post  clamp(w, −α, α)
//   apot   α·clamp(w̃/α, −1, 1), of α too (APoT, eq. 10); w̃'s mean and deviation count as constants
//   lqnet  w
torch::Tensor fake_level_weights(const WeightPlan& plan, const torch::Tensor& weights,
                                 const torch::Tensor& parameters,
                                 const QuantizedWeights& quantized);

// β of each image in the integers that its package has (integer_step_factor), from the channels' sums
// that channel_sums() gives.
std::vector<int> integer_step_factors(const network::AdapterNetwork& adapter,
                                      const torch::Tensor& sums);

// β of each image, float64, from its channels' means, N×C float64. `parameters`: float64, those of
// the adapter.
torch::Tensor step_factors(const torch::Tensor& means, const torch::Tensor& parameters);

}  // namespace abacus::quant
