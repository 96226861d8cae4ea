#include "sw/quant/reconstruct/adaround.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "sw/quant/plan/quantized_convolution.hpp"

namespace abacus::quant {
namespace {

constexpr double zeta = 1.1;
constexpr double gamma = -0.1;
constexpr double warm_up = 0.2;
constexpr double first_beta = 20;
constexpr double last_beta = 2;

}  // namespace

torch::Tensor rectified_sigmoid(const torch::Tensor& a) {
  return (torch::sigmoid(a) * (zeta - gamma) + gamma).clamp(0, 1);
}

torch::Tensor inverse_rectified_sigmoid(const torch::Tensor& h) {
  return -torch::log((zeta - gamma) / (h - gamma) - 1);
}

torch::Tensor rounding_regularizer(const torch::Tensor& h, double beta) {
  return (1 - (2 * h - 1).abs().pow(beta)).sum();
}

bool rounding_regularized(std::int64_t iteration, std::int64_t iterations) {
  return static_cast<double>(iteration) >= warm_up * static_cast<double>(iterations);
}

double rounding_beta(std::int64_t iteration, std::int64_t iterations) {
  if (!rounding_regularized(iteration, iterations)) return first_beta;
  const double begin = warm_up * static_cast<double>(iterations);
  const double passed =
      (static_cast<double>(iteration) - begin) / (static_cast<double>(iterations) - begin);
  return last_beta + (first_beta - last_beta) * std::max(0.0, 1 - passed);
}

AdaptiveRounding::AdaptiveRounding(const torch::Tensor& weights, double lowest, double highest)
    : lowest_(lowest), highest_(highest) {
  torch::NoGradGuard no_gradient;
  const torch::Tensor within = weights.detach().clamp(lowest, highest);
  floor_ = within.floor();
  a_ = inverse_rectified_sigmoid(within - floor_).requires_grad_(true);
}

torch::Tensor AdaptiveRounding::soft() const { return (floor_ + h()).clamp(lowest_, highest_); }

torch::Tensor AdaptiveRounding::hard() const {
  torch::NoGradGuard no_gradient;
  return (floor_ + a_.ge(0)).clamp(lowest_, highest_);
}

double weight_step_of_least_error(const float* weights, std::size_t count, int bits) {
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(weights[i])));
  }
  if (largest <= 0) return 1;
  const double lowest = lowest_integer(bits, true), highest = highest_integer(bits, true);
  const double whole = largest / highest;
  double best = whole;
  double least = -1;
  constexpr int candidates = 80;
  for (int i = 0; i < candidates; ++i) {
    const double step = whole * (1 - 0.01 * i);
    double error = 0;
    for (std::size_t j = 0; j < count; ++j) {
      const double weight = static_cast<double>(weights[j]);
      const double level = std::clamp(std::floor(weight / step + 0.5), lowest, highest);
      error += std::pow(std::abs(weight - step * level), 2.4);
    }
    if (least < 0 || error < least) {
      least = error;
      best = step;
    }
  }
  return best;
}

std::vector<double> weight_steps_of_least_error(const std::vector<float>& weights,
                                                int output_channels, int bits) {
  if (bits < 2 || bits > 8) {
    throw std::invalid_argument("weight width is " + std::to_string(bits) +
                                "; allowed: 2 to 8 bits");
  }
  const std::size_t channels = static_cast<std::size_t>(std::max(0, output_channels));
  if (channels == 0 || weights.empty() || weights.size() % channels != 0) {
    throw std::invalid_argument("number of weights is " + std::to_string(weights.size()) +
                                "; allowed: a multiple of the " + std::to_string(output_channels) +
                                " output channels");
  }
  const std::size_t size = weights.size() / channels;
  std::vector<double> steps;
  for (std::size_t o = 0; o < channels; ++o) {
    steps.push_back(weight_step_of_least_error(weights.data() + o * size, size, bits));
  }
  return steps;
}

}  // namespace abacus::quant
