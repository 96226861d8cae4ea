// Activation quantizers of ordinary networks' quantization-aware training, and ASQ's adapter.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace abacus::quant {

enum class ActivationQuantizer {
  lsq,   // a learned step (Esser et al., ICLR 2020)
  pact,  // a learned range that only what lies beyond it moves, and decay (PACT, arXiv 1805.06085)
  asq    // a learned step times β, which an adapter makes of each image (ASQ, section 3.2)
};
const std::vector<std::string>& activation_quantizer_names();  // "lsq", "pact", "asq"
std::string to_string(ActivationQuantizer quantizer);
// Throws std::invalid_argument naming the text and the allowed values.
ActivationQuantizer activation_quantizer_from_string(const std::string& text);

// ASQ's adapter: from an image's channel means to β,
//   β = ReLU(w₂·ReLU(W₁·m + b₁) + b₂), or ReLU(w₂·m + b₂) of less than 8 channels,
// kept between `smallest` and `largest` (those of sw/network/integer_limits.hpp), for which the integers have
// room. The authors' code has 1e-8 and no upper end.
struct AdapterParameters {
  static constexpr double smallest = 1.0 / 16;
  static constexpr double largest = 8;

  int channels = 0;  // 0: none
  // W₁ (row after row), b₁, w₂, b₂.
  std::vector<double> parameters;

  int hidden() const { return channels < 8 ? 0 : channels / 4; }
  int last() const { return hidden() == 0 ? channels : hidden(); }  // inputs of the last layer
  std::size_t parameter_count() const {
    return static_cast<std::size_t>(hidden() * (channels + 1) + last() + 1);
  }
};

// The first layer drawn from ±1/√channels, the last from N(0, 0.01) with bias 1, as in the authors'
// code: β is about 1. Throws std::invalid_argument for less than one channel.
AdapterParameters initial_adapter(int channels, std::uint64_t seed);

// β of channel means, in double precision. Throws std::invalid_argument where the parameters are not
// as many as they have to be.
double step_factor(const AdapterParameters& adapter, const double* means);

// LSQ's first step, 2·mean|x| / √highest; 1 for a mean of 0.
double lsq_start(double mean_magnitude, int highest);

}  // namespace abacus::quant
