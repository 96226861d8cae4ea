// The integers that a training pass rounds a layer's weights to: those of the package, but for clamped
// weights, which stand where they are as long as that only shifts a channel by a constant.
#pragma once

#include <vector>

#include "sw/quant/fake/fake_quantization.hpp"
#include "sw/quant/plan/adder_grid.hpp"
#include "sw/quant/plan/quantization_plan.hpp"
#include "sw/train/torch.hpp"

namespace abacus::quant {

// On which sides of its range the clamp of an adder layer's weights can be undone: where the weights'
// end is not within the activations' range. `unit_grid`: of range 1.
struct UndoneSides {
  bool below = false, above = false;
};
UndoneSides undone_sides(const AdderGrid& unit_grid);

// Weights that the clamp has moved to an end of their range, where they are again, within ±32767. That
// changes the layer's output by no more than a constant a channel, and lets the input gradient see on
// which side of the activations the weights are: at the end itself, where many weights and activations
// meet, it would be 0. `convolution`: quantize_adder_convolution(plan, weights, …).
void undo_lossless_clamp(const std::vector<float>& weights, const AdderGrid& unit_grid,
                         const UndoneSides& sides, const ConvolutionPlan& plan,
                         QuantizedConvolution& convolution);

// Both steps as operations on tensors, for weights on a GPU: levels, float32, O×I×k×k. `range`, `step`:
// of each output channel, float64, on the weights' device; step is adder_grid(range, …).weight_step().
torch::Tensor adder_levels(const torch::Tensor& weights, const torch::Tensor& range,
                           const torch::Tensor& step, const AdderGrid& unit_grid,
                           const UndoneSides& sides, const ConvolutionPlan& plan);

// Likewise what quantize_ordinary_convolution() makes of weights without a WeightPlan.
torch::Tensor ordinary_levels(const torch::Tensor& weights, const torch::Tensor& step,
                              const IntegerRange& range);

}  // namespace abacus::quant
