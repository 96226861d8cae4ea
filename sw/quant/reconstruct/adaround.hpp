// AdaRound: whether each weight rounds up or down is learned (Nagel et al., "Up or Down? Adaptive
// Rounding for Post-Training Quantization", ICML 2020), with the constants of BRECQ's code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sw/train/torch.hpp"

namespace abacus::quant {

// h(a) = clip(1.2·σ(a) − 0.1, 0, 1), element by element (AdaRound, eq. 23: ζ = 1.1, γ = −0.1).
torch::Tensor rectified_sigmoid(const torch::Tensor& a);
// The a with h(a) = h, for h in [0, 1].
torch::Tensor inverse_rectified_sigmoid(const torch::Tensor& h);

// Σ 1 − |2h − 1|^β over all elements (AdaRound, eq. 24): 0 where every h is 0 or 1.
torch::Tensor rounding_regularizer(const torch::Tensor& h, double beta);

// β: 20 during the first fifth of the iterations, when the regularizer is not yet added, then
// falling linearly to 2.
double rounding_beta(std::int64_t iteration, std::int64_t iterations);
bool rounding_regularized(std::int64_t iteration, std::int64_t iterations);

// The weights of one layer between two levels each, in units of their step.
class AdaptiveRounding {
 public:
  // `weights`: real values over their steps. Starts with soft() = weights within the range.
  AdaptiveRounding(const torch::Tensor& weights, double lowest, double highest);

  const torch::Tensor& parameter() const { return a_; }  // has a gradient
  torch::Tensor h() const { return rectified_sigmoid(a_); }
  // ⌊w⌋ + h, within the range; and with h rounded.
  torch::Tensor soft() const;
  torch::Tensor hard() const;

 private:
  torch::Tensor floor_, a_;
  double lowest_, highest_;
};

// The step of the signed grid of `bits` bits with the least Σ |w − step·level|^2.4 over the values,
// of 80 between a fifth of and the whole step that reaches the largest one (BRECQ's search, for a
// symmetric grid). 1 for zeros only.
double weight_step_of_least_error(const float* weights, std::size_t count, int bits);

// One step an output channel; `weights`: output channel × input channel × ky × kx. Throws
// std::invalid_argument for widths outside 2 … 8 or weights that are no whole number of channels.
std::vector<double> weight_steps_of_least_error(const std::vector<float>& weights,
                                                int output_channels, int bits);

}  // namespace abacus::quant
