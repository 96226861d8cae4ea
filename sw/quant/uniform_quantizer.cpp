#include "sw/quant/uniform_quantizer.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace abacus {
namespace {

double level(double value, double step, int bits) {
  return std::clamp(std::floor(value / step + 0.5), static_cast<double>(lowest_integer(bits, true)),
                    static_cast<double>(highest_integer(bits, true)));
}

void check(const std::vector<float>& weights, const std::vector<float>& bias, int output_channels,
           const UniformQuantizerOptions& options) {
  const auto fail = [](const std::string& what, std::size_t found, const std::string& allowed) {
    throw std::invalid_argument(what + " is " + std::to_string(found) + "; allowed: " + allowed);
  };
  for (const int bits : {options.weight_bits, options.activation_bits}) {
    if (bits < 2 || bits > 8) {
      throw std::invalid_argument("operand width is " + std::to_string(bits) +
                                  "; allowed: 2 to 8 bits");
    }
  }
  const std::string channels = std::to_string(output_channels) + " output channels";
  if (output_channels < 1 || weights.empty() ||
      weights.size() % static_cast<std::size_t>(output_channels) != 0) {
    fail("number of weights", weights.size(), "a multiple of the " + channels);
  }
  if (!bias.empty() && bias.size() != static_cast<std::size_t>(output_channels)) {
    fail("number of biases", bias.size(), "0, or the " + channels);
  }
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

QuantizedConvolution quantize_uniform_layer(const std::vector<float>& weights,
                                            const std::vector<float>& bias, int output_channels,
                                            double activation_step,
                                            const UniformQuantizerOptions& options) {
  check(weights, bias, output_channels, options);
  const std::size_t channels = static_cast<std::size_t>(output_channels);
  const std::size_t size = weights.size() / channels;
  QuantizedConvolution result;
  result.weight_bits = options.weight_bits;
  result.activation_bits = options.activation_bits;
  result.activation_signed = options.activation_signed;
  result.group.assign(channels, 0);
  result.activation_step = {activation_step};
  for (std::size_t o = 0; o < channels; ++o) {
    const float* const channel = weights.data() + o * size;
    const double step = best_weight_step(channel, size, options.weight_bits);
    for (std::size_t i = 0; i < size; ++i) {
      result.weights.push_back(static_cast<std::int16_t>(
          level(static_cast<double>(channel[i]), step, options.weight_bits)));
    }
    result.accumulator_step.push_back(step * activation_step);
    result.offset.push_back(bias.empty() ? 0.0 : static_cast<double>(bias[o]));
  }
  return result;
}

}  // namespace abacus
