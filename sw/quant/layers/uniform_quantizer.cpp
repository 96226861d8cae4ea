#include "sw/quant/layers/uniform_quantizer.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "sw/quant/plan/quantized_convolution.hpp"

namespace abacus::quant {
namespace {

double level(double value, double step, int bits) {
  return std::clamp(std::floor(value / step + 0.5), static_cast<double>(lowest_integer(bits, true)),
                    static_cast<double>(highest_integer(bits, true)));
}

}  // namespace

double best_weight_step(const float* weights, std::size_t count, int bits) {
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(weights[i])));
  }
  if (largest <= 0) return 1;
  const double whole = largest / highest_integer(bits, true);
  double best = whole;
  double least = -1;
  constexpr int candidates = 150;
  for (int i = 0; i <= candidates; ++i) {
    const double step = whole * (1 - 0.75 * i / candidates);
    double error = 0;
    for (std::size_t j = 0; j < count; ++j) {
      const double weight = static_cast<double>(weights[j]);
      const double difference = weight - step * level(weight, step, bits);
      error += difference * difference;
    }
    if (least < 0 || error < least) {
      least = error;
      best = step;
    }
  }
  return best;
}

std::vector<double> best_weight_steps(const std::vector<float>& weights, int output_channels,
                                      int bits) {
  if (bits < 2 || bits > 8) {
    throw std::invalid_argument("operand width is " + std::to_string(bits) +
                                "; allowed: 2 to 8 bits");
  }
  if (output_channels < 1 || weights.empty() ||
      weights.size() % static_cast<std::size_t>(output_channels) != 0) {
    throw std::invalid_argument("number of weights is " + std::to_string(weights.size()) +
                                "; allowed: a multiple of the " + std::to_string(output_channels) +
                                " output channels");
  }
  const std::size_t channels = static_cast<std::size_t>(output_channels);
  const std::size_t size = weights.size() / channels;
  std::vector<double> steps;
  for (std::size_t o = 0; o < channels; ++o) {
    steps.push_back(best_weight_step(weights.data() + o * size, size, bits));
  }
  return steps;
}

}  // namespace abacus::quant
