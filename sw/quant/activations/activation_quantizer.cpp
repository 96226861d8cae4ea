#include "sw/quant/activations/activation_quantizer.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>

namespace abacus::quant {

const std::vector<std::string>& activation_quantizer_names() {
  static const std::vector<std::string> names = {"lsq", "pact", "asq"};
  return names;
}

std::string to_string(ActivationQuantizer quantizer) {
  return activation_quantizer_names().at(static_cast<std::size_t>(quantizer));
}

ActivationQuantizer activation_quantizer_from_string(const std::string& text) {
  for (const ActivationQuantizer quantizer :
       {ActivationQuantizer::lsq, ActivationQuantizer::pact, ActivationQuantizer::asq}) {
    if (text == to_string(quantizer)) return quantizer;
  }
  throw std::invalid_argument("unknown activation quantizer \"" + text +
                              "\"; allowed: lsq, pact, asq");
}

AdapterParameters initial_adapter(int channels, std::uint64_t seed) {
  if (channels < 1) {
    throw std::invalid_argument("an adapter's number of channels is " + std::to_string(channels) +
                                "; allowed: 1 or more");
  }
  AdapterParameters adapter;
  adapter.channels = channels;
  std::mt19937_64 random(seed);
  const double bound = 1 / std::sqrt(static_cast<double>(channels));
  std::uniform_real_distribution<double> first(-bound, bound);
  std::normal_distribution<double> last(0, 0.01);
  for (int i = 0; i < adapter.hidden() * (channels + 1); ++i) {
    adapter.parameters.push_back(first(random));
  }
  for (int i = 0; i < adapter.last(); ++i) adapter.parameters.push_back(last(random));
  adapter.parameters.push_back(1);
  return adapter;
}

double step_factor(const AdapterParameters& adapter, const double* means) {
  if (adapter.channels < 1 || adapter.parameters.size() != adapter.parameter_count()) {
    throw std::invalid_argument("an adapter of " + std::to_string(adapter.channels) +
                                " channels has " + std::to_string(adapter.parameters.size()) +
                                " parameters; expected " +
                                std::to_string(adapter.parameter_count()));
  }
  const auto sum = [](const double* weights, const double* values, int count, double bias) {
    for (int i = 0; i < count; ++i) bias += weights[i] * values[i];
    return std::max(bias, 0.0);
  };
  const double* const weights = adapter.parameters.data();
  const double* last = weights;
  std::vector<double> values(means, means + adapter.channels);
  if (adapter.hidden() > 0) {
    const double* const biases = weights + adapter.hidden() * adapter.channels;
    values.clear();
    for (int i = 0; i < adapter.hidden(); ++i) {
      values.push_back(sum(weights + i * adapter.channels, means, adapter.channels, biases[i]));
    }
    last = biases + adapter.hidden();
  }
  return std::clamp(sum(last, values.data(), adapter.last(), last[adapter.last()]),
                    AdapterParameters::smallest, AdapterParameters::largest);
}

double lsq_start(double mean_magnitude, int highest) {
  return mean_magnitude > 0 ? 2 * mean_magnitude / std::sqrt(static_cast<double>(highest)) : 1;
}

}  // namespace abacus::quant
