#include "sw/quant/calibrate/channel_fit.hpp"

#include <algorithm>
#include <stdexcept>

namespace abacus::quant {

void ChannelFit::add(const torch::Tensor& inputs, const torch::Tensor& targets) {
  const torch::Tensor x = inputs.contiguous(), t = targets.contiguous();
  if (x.sizes() != t.sizes() || x.dim() != 4 ||
      x.size(1) != static_cast<std::int64_t>(sums_.size())) {
    throw std::invalid_argument("a fit of inputs and targets of different shapes");
  }
  const std::int64_t channels = x.size(1), plane = x.size(2) * x.size(3);
  const float* const from = x.data_ptr<float>();
  const float* const to = t.data_ptr<float>();
#pragma omp parallel for
  for (std::int64_t c = 0; c < channels; ++c) {
    Sums& sums = sums_[static_cast<std::size_t>(c)];
    for (std::int64_t n = 0; n < x.size(0); ++n) {
      const std::int64_t first = (n * channels + c) * plane;
      if (sums.count == 0) {
        sums.x0 = static_cast<double>(from[first]);
        sums.t0 = static_cast<double>(to[first]);
      }
      for (std::int64_t i = first; i < first + plane; ++i) {
        const double a = static_cast<double>(from[i]) - sums.x0;
        const double b = static_cast<double>(to[i]) - sums.t0;
        sums.x += a;
        sums.t += b;
        sums.xx += a * a;
        sums.tt += b * b;
        sums.xt += a * b;
      }
      sums.count += static_cast<double>(plane);
    }
  }
}

AffineFit ChannelFit::channel(std::size_t c) const {
  const Sums& sums = sums_.at(c);
  AffineFit fit;
  if (sums.count == 0) return fit;
  const double xx = std::max(0.0, sums.xx - sums.x * sums.x / sums.count);
  const double tt = std::max(0.0, sums.tt - sums.t * sums.t / sums.count);
  const double xt = sums.xt - sums.x * sums.t / sums.count;
  fit.gain = xx > 0 ? xt / xx : 0;
  fit.input_mean = sums.x0 + sums.x / sums.count;
  fit.input_variance = xx / sums.count;
  fit.target_mean = sums.t0 + sums.t / sums.count;
  fit.residual = std::max(0.0, tt - fit.gain * xt);
  return fit;
}

double ChannelFit::residual() const {
  double sum = 0;
  for (std::size_t c = 0; c < sums_.size(); ++c) sum += channel(c).residual;
  return sum;
}

AffineFit fit_line(const std::vector<float>& inputs, const std::vector<float>& targets) {
  AffineFit fit;
  if (inputs.empty()) return fit;
  const double count = static_cast<double>(inputs.size());
  for (const float value : inputs) fit.input_mean += static_cast<double>(value) / count;
  for (const float value : targets) fit.target_mean += static_cast<double>(value) / count;
  double xx = 0, xt = 0, tt = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const double a = static_cast<double>(inputs[i]) - fit.input_mean;
    const double b = static_cast<double>(targets.at(i)) - fit.target_mean;
    xx += a * a;
    xt += a * b;
    tt += b * b;
  }
  fit.gain = xx > 0 ? xt / xx : 0;
  fit.input_variance = xx / count;
  fit.residual = std::max(0.0, tt - fit.gain * xt);
  return fit;
}

}  // namespace abacus::quant
