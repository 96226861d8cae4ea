// The weight and activation quantizers that quantization-aware training offers for ordinary networks,
// as functions on tensors: forward exactly the levels, backward each paper's gradient.
#pragma once

#include "sw/quant/activation_quantizer.hpp"
#include "sw/quant/adapter_arithmetic.hpp"
#include "sw/quant/fake_quantization.hpp"
#include "sw/quant/weight_quantizer.hpp"
#include "sw/train/torch.hpp"

namespace abacus {

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

// What the gradient of an activation step is within the range; beyond it it is the range's end.
enum class StepGradient {
  rounding,  // round(v) − v (LSQ, eq. 3; ASQ, eq. 7)
  none       // PACT, eq. 3: of the range α = step·highest it is 1 beyond and 0 within
};

// fake_read() with a step of its own for each image. `steps`: float64, one element, or one an image;
// `ratios`: as many values, of the read quantizers (multiplier / 2^shift). Throws std::invalid_argument
// where counts do not fit, and as fake_read() does.
torch::Tensor fake_read_images(const torch::Tensor& stored, double stored_scale,
                               const std::vector<double>& ratios, const torch::Tensor& steps,
                               IntegerRange range, StepGradient gradient);

// β of each image in the integers that its package has (integer_step_factor), from N×C×H×W stored
// integers in float32.
std::vector<int> integer_step_factors(const AdapterNetwork& adapter, const torch::Tensor& stored);

// β of each image, float64, from N×C×H×W inputs. `parameters`: float64, those of the adapter.
torch::Tensor step_factors(const torch::Tensor& inputs, const torch::Tensor& parameters);

}  // namespace abacus
