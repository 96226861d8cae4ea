#include "sw/quant/layers/binary_quantizer.hpp"

#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace abacus::quant {

QuantizedConvolution quantize_binary_layer(const std::vector<float>& weights,
                                           const std::vector<float>& bias, int output_channels) {
  const auto fail = [&](const std::string& what, std::size_t found, const std::string& allowed) {
    throw std::invalid_argument(what + " is " + std::to_string(found) + "; allowed: " + allowed +
                                std::to_string(output_channels) + " output channels");
  };
  const auto channels = static_cast<std::size_t>(output_channels);
  if (output_channels < 1 || weights.empty() || weights.size() % channels != 0) {
    fail("number of weights", weights.size(), "a multiple of the ");
  }
  if (!bias.empty() && bias.size() != channels) {
    fail("number of biases", bias.size(), "0, or the ");
  }
  const std::size_t size = weights.size() / channels;
  QuantizedConvolution result;
  result.weight_bits = result.activation_bits = 1;
  result.weight_signed = result.activation_signed = true;
  result.group.assign(channels, 0);
  result.activation_step = {1.0};
  for (std::size_t o = 0; o < channels; ++o) {
    double sum = 0;
    for (std::size_t i = o * size; i < (o + 1) * size; ++i) {
      sum += std::abs(static_cast<double>(weights[i]));
      result.weights.push_back(weights[i] < 0 ? std::int16_t{-1} : std::int16_t{1});
    }
    // Weights of nothing but zeros: +1 each, worth nothing in training; the smallest step that
    // still counts keeps the arithmetic finite.
    result.accumulator_step.push_back(sum > 0 ? sum / static_cast<double>(size) : 1e-12);
    result.offset.push_back(bias.empty() ? 0.0 : static_cast<double>(bias[o]));
  }
  return result;
}

}  // namespace abacus::quant
