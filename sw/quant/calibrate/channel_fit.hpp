// Least squares, channel by channel: the affine map of a layer's accumulators that is nearest to the
// outputs wanted.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sw/train/torch.hpp"

namespace abacus::quant {

// target ≈ gain · (input − input_mean) + target_mean.
struct AffineFit {
  double gain = 0;  // 0 for an input that does not vary
  double input_mean = 0;
  double input_variance = 0;  // biased
  double target_mean = 0;
  double residual = 0;  // Σ of the squared differences that remain
};

class ChannelFit {
 public:
  explicit ChannelFit(std::size_t channels) : sums_(channels) {}

  // Both N×C×H×W float32.
  void add(const torch::Tensor& inputs, const torch::Tensor& targets);

  std::size_t channels() const { return sums_.size(); }

  AffineFit channel(std::size_t c) const;
  double residual() const;  // of all channels

 private:
  // Around the first values seen, which keeps the squares small.
  struct Sums {
    double x0 = 0, t0 = 0;
    double count = 0, x = 0, t = 0, xx = 0, tt = 0, xt = 0;
  };
  std::vector<Sums> sums_;
};

// One channel's fit.
AffineFit fit_line(const std::vector<float>& inputs, const std::vector<float>& targets);

// Before a ReLU all values below `zero` are as good as each other: where the target is one of them,
// the nearest to `value` of all of them takes its place.
inline float acceptable(float target, float zero, float value) {
  return target > zero ? target : std::min(value, zero);
}

}  // namespace abacus::quant
