#include "sw/quant/layers/uniform_quantizer.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "sw/quant/plan/quantized_convolution.hpp"

namespace abacus::quant {
namespace {

double level(double value, double step, int lowest, int highest) {
  return std::clamp(std::floor(value / step + 0.5), static_cast<double>(lowest),
                    static_cast<double>(highest));
}

}  // namespace

double best_weight_step(const float* weights, std::size_t count, int lowest, int highest) {
  // Of the sides that have levels.
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double weight = static_cast<double>(weights[i]);
    if (weight > 0 ? highest > 0 : lowest < 0) largest = std::max(largest, std::abs(weight));
  }
  if (largest <= 0) return 1;
  const double whole = largest / (highest > 0 ? highest : -lowest);
  double best = whole;
  double least = -1;
  constexpr int candidates = 150;
  for (int i = 0; i <= candidates; ++i) {
    const double step = whole * (1 - 0.75 * i / candidates);
    double error = 0;
    for (std::size_t j = 0; j < count; ++j) {
      const double weight = static_cast<double>(weights[j]);
      const double difference = weight - step * level(weight, step, lowest, highest);
      error += difference * difference;
    }
    if (least < 0 || error < least) {
      least = error;
      best = step;
    }
  }
  return best;
}

double best_weight_step(const float* weights, std::size_t count, int bits) {
  return best_weight_step(weights, count, lowest_integer(bits, true), highest_integer(bits, true));
}

std::vector<double> best_weight_steps(const std::vector<float>& weights, int output_channels,
                                      int bits) {
  if (bits < 2 || bits > 8) {
    throw std::invalid_argument("operand width is " + std::to_string(bits) +
                                "; allowed: 2 to 8 bits");
  }
  return best_weight_steps(weights, output_channels, lowest_integer(bits, true),
                           highest_integer(bits, true));
}

std::vector<double> best_weight_steps(const std::vector<float>& weights, int output_channels,
                                      int lowest, int highest) {
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
    steps.push_back(best_weight_step(weights.data() + o * size, size, lowest, highest));
  }
  return steps;
}

}  // namespace abacus::quant
