// Rounding to integer grids that gradients pass through, for quantization-aware training.
//
// The forward values are the integers of docs/arithmetic.md times their step. Backward, rounding
// counts as the identity (straight-through estimator, Bengio et al., arXiv 1308.3432) and saturation
// as what it is. Steps that are learned get the gradient of LSQ (Esser et al., ICLR 2020, eq. 3):
// ∂x̂/∂step = round(v) − v within the range, v = x / step, and the range's end beyond it.
//
// Results, gradients included, do not depend on the number of threads. On a GPU the values are the
// same to the bit; there steps are one a tensor, stay on the processor and are not learned.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "sw/train/torch.hpp"

namespace abacus::quant {

// The integers that an operand can be, both ends included.
struct IntegerRange {
  int lowest = 0;
  int highest = 0;
};

// step · clamp(⌊x / step + ½⌋, range), element by element; x: float32, any dense shape. The gradient
// passes where lowest ≤ x / step ≤ highest. Throws std::invalid_argument for a step that is not
// finite and positive, or an empty range.
torch::Tensor fake_quantize(const torch::Tensor& values, double step, IntegerRange range);

// What the gradient of an activation step is within the range; beyond it it is the range's end.
enum class StepGradient {
  rounding,  // round(v) − v (LSQ, eq. 3; ASQ, eq. 7)
  none       // PACT, eq. 3: of the range α = step·highest it is 1 beyond and 0 within
};

// What a layer's array sees of a stored tensor: step · clamp(round_shift(v · multiplier, shift)),
// where `stored` = v · stored_scale, one image a row of the first dimension. `steps`: float64, one
// element, or one an image; `ratios`: as many values, of the read quantizers (multiplier / 2^shift)
// for stored_scale / step. `output`: float32, or bfloat16, to which the products are rounded. Gradient
// as of fake_quantize, and of the steps if they are learned. Throws as fake_quantize does, and
// std::invalid_argument where counts do not fit.
torch::Tensor fake_read_images(const torch::Tensor& stored, double stored_scale,
                               const std::vector<double>& ratios, const torch::Tensor& steps,
                               IntegerRange range, StepGradient gradient,
                               torch::ScalarType output = torch::kFloat32);

// The same with one step, a float64 tensor of one element, and LSQ's gradient.
torch::Tensor fake_read(const torch::Tensor& stored, double stored_scale,
                        const network::ReadQuantizer& quantizer, const torch::Tensor& step,
                        IntegerRange range, torch::ScalarType output = torch::kFloat32);

// Σ of the integers v over the places of each image and channel, N×C int64; `stored` = v ·
// stored_scale is N×C×H×W float32, v of at most 16 bits.
torch::Tensor channel_sums(const torch::Tensor& stored, double stored_scale);

// The means of the same, N×C float64, whose gradient reaches `stored`. `sums`: channel_sums() of it.
torch::Tensor channel_means(const torch::Tensor& stored, double stored_scale,
                            const torch::Tensor& sums);

// What becomes of weights beyond the range, in training.
enum class BeyondRange {
  // Their distance is made up for by an offset (AdderQuant's clamp): they keep their gradient, so
  // that they can come back, and the step gets none from them, since the offset moves against it.
  offset,
  // The same offset, but the gradient is the loss's own, which is 0 for them.
  lossless,
  clipped  // their gradient is 0; the step's is the range's end (LSQ)
};

// `levels` · `step`, in the weights' shape (output channel first). `levels`: the integers that the
// quantizer has made of `weights`. `step`: float64, one element an output channel. Throws
// std::invalid_argument where the counts do not fit.
torch::Tensor fake_weights(const torch::Tensor& weights, const std::vector<std::int16_t>& levels,
                           const torch::Tensor& step, IntegerRange range, BeyondRange beyond);
// The same of levels in a float32 tensor of the weights' shape, all on one device.
torch::Tensor fake_weights(const torch::Tensor& weights, const torch::Tensor& levels,
                           const torch::Tensor& step, IntegerRange range, BeyondRange beyond);

}  // namespace abacus::quant
