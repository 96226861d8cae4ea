#include "sw/quant/options/scheme.hpp"

#include <stdexcept>

namespace abacus::quant {
namespace {

const std::string post_training = "-ptq";

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

const TakenQuantizationOption* QuantizationScheme::find(const QuantizationOption& option) const {
  for (const TakenQuantizationOption& taken : options) {
    if (taken.option == &option && !taken.fixed) return &taken;
  }
  return nullptr;
}

std::vector<std::string> quantization_scheme_names() {
  std::vector<std::string> names;
  for (const QuantizationScheme& scheme : quantization_schemes()) names.push_back(scheme.name);
  return names;
}

const QuantizationScheme& find_scheme(const std::string& name) {
  for (const QuantizationScheme& scheme : quantization_schemes()) {
    if (scheme.name == name) return scheme;
  }
  throw std::invalid_argument("unknown quantization scheme \"" + name +
                              "\"; allowed: " + listed(quantization_scheme_names()));
}

std::string training_name(const QuantizationScheme& scheme) {
  return ends_with(scheme.name, post_training)
             ? scheme.name.substr(0, scheme.name.size() - post_training.size())
             : scheme.name;
}

std::vector<std::string> training_scheme_names() {
  std::vector<std::string> names;
  for (const QuantizationScheme& scheme : quantization_schemes()) {
    if (scheme.trains) names.push_back(training_name(scheme));
  }
  return names;
}

const QuantizationScheme& find_training_scheme(const std::string& name) {
  for (const QuantizationScheme& scheme : quantization_schemes()) {
    if (scheme.trains && training_name(scheme) == name) return scheme;
  }
  const std::string allowed = "; allowed: " + listed(training_scheme_names());
  for (const QuantizationScheme& scheme : quantization_schemes()) {
    if (training_name(scheme) != name) continue;
    throw std::invalid_argument("scheme \"" + name +
                                "\" quantizes trained networks and is not trained with" + allowed);
  }
  throw std::invalid_argument("unknown scheme \"" + name + "\"" + allowed);
}

std::vector<std::string> schemes_with(const QuantizationOption& option) {
  std::vector<std::string> names;
  for (const QuantizationScheme& scheme : quantization_schemes()) {
    if (scheme.find(option) != nullptr) names.push_back(scheme.name);
  }
  return names;
}

void check_scheme(const CompletedOptions& options, const network::Checkpoint& checkpoint,
                  const std::string& source) {
  const QuantizationScheme& scheme = options.scheme();
  const network::Arithmetic wanted =
      scheme.arithmetic_by ? scheme.arithmetic_by(options) : scheme.arithmetic;
  if (wanted == checkpoint.network.arithmetic) return;
  throw std::invalid_argument(source + ": its network's arithmetic is " +
                              network::to_string(checkpoint.network.arithmetic) + "; scheme " +
                              scheme.name + " is for " + network::to_string(wanted));
}

}  // namespace abacus::quant
