#include "sw/quant/options/reconstruction_options.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "sw/quant/options/quantization_options.hpp"

namespace abacus::quant {
namespace {

void fail(const std::string& name, const std::string& found, const std::string& allowed) {
  throw std::invalid_argument(name + " is " + found + "; allowed: " + allowed);
}

void range(const std::string& name, std::int64_t value, std::int64_t lowest, std::int64_t highest) {
  if (value < lowest || value > highest) {
    fail(name, std::to_string(value), std::to_string(lowest) + " to " + std::to_string(highest));
  }
}

}  // namespace

void check(const ReconstructionOptions& options) {
  range("reconstruction images", options.images, 2, 100'000);
  range("iterations", options.iterations, 0, 1'000'000);
  range("network iterations", options.network_iterations, 0, 1'000'000);
  range("reconstruction batch", options.batch, 2, 4096);
  for (const auto& [name, rate] :
       {std::pair<const char*, double>{"weight rate", options.weight_rate},
        {"BatchNorm rate", options.norm_rate},
        {"step rate", options.step_rate},
        {"BatchNorm rate of the network", options.network_norm_rate}}) {
    if (!(rate >= 0 && rate <= 1)) fail(name, std::to_string(rate), "0 to 1");
  }
}

void check(const NetworkReconstructionOptions& options) {
  range("reconstruction images", options.images, 2, 100'000);
  range("iterations", options.iterations, 1, 1'000'000);
  range("reconstruction batch", options.batch, 2, 4096);
  if (!(options.rate > 0 && options.rate <= 1)) {
    fail("rate", std::to_string(options.rate), "more than 0, at most 1");
  }
  if (!(options.temperature > 0 && std::isfinite(options.temperature))) {
    fail("temperature", std::to_string(options.temperature), "above 0");
  }
}

void check(const BrecqOptions& options) {
  range("reconstruction images", options.images, 1, 100'000);
  range("iterations", options.iterations, 1, 1'000'000);
  range("activation iterations", options.activation_iterations, 0, 1'000'000);
  range("reconstruction batch", options.batch, 1, 4096);
}

ReconstructionOptions reconstruction_options(const CompletedOptions& options) {
  ReconstructionOptions result;
  result.images = options.reconstruction_images;
  result.iterations = options.iterations;
  result.network_iterations = options.network_iterations;
  result.seed = options.seed;
  return result;
}

NetworkReconstructionOptions network_reconstruction_options(const CompletedOptions& options) {
  NetworkReconstructionOptions result;
  result.images = options.reconstruction_images;
  result.iterations = options.iterations;
  result.temperature = options.temperature;
  // In proportion to the grid's steps.
  result.rate = std::min(0.002, 0.032 / static_cast<double>(1 << options.weight_bits));
  result.seed = options.seed;
  return result;
}

BrecqOptions brecq_options(const CompletedOptions& options) {
  BrecqOptions result;
  result.images = options.reconstruction_images;
  result.iterations = options.iterations;
  result.activation_iterations = options.activation_iterations;
  result.seed = options.seed;
  return result;
}

}  // namespace abacus::quant
