#include "sw/quant/options/quantization_options.hpp"

#include <sstream>
#include <stdexcept>
#include <vector>

#include "sw/quant/options/option_table.hpp"
#include "sw/quant/options/scheme.hpp"

namespace abacus::quant {
namespace {

// What is more than every scheme takes.
std::vector<std::string> own_options(const QuantizationScheme& scheme) {
  std::vector<std::string> flags;
  for (const QuantizationOption* option : quantization_options()) {
    const bool everywhere = schemes_with(*option).size() == quantization_schemes().size();
    if (scheme.find(*option) != nullptr && !everywhere) flags.push_back(option->flag());
  }
  return flags;
}

[[noreturn]] void refuse(const QuantizationScheme& scheme, const QuantizationOption& option) {
  const std::vector<std::string> own = own_options(scheme);
  throw std::invalid_argument(
      "scheme " + scheme.name + " does not take " + option.flag() + "; it takes " +
      (own.empty() ? "the options of every scheme" : listed(own) + " and those of every scheme") +
      "; " + option.flag() + " is taken by " + listed(schemes_with(option)));
}

}  // namespace

CompletedOptions complete(const QuantizationOptions& options, const train::Augmentation& trained) {
  const QuantizationScheme& scheme = find_scheme(options.scheme);
  CompletedOptions completed(scheme);
  completed.crop_padding = trained.padding;
  completed.flip = trained.flip;
  for (const TakenQuantizationOption& taken : scheme.options) {
    if (taken.fixed) taken.complete(options, completed);
  }
  for (const QuantizationOption* option : quantization_options()) {
    const TakenQuantizationOption* taken = scheme.find(*option);
    const bool asked = option->is_asked(options);
    if (taken == nullptr) {
      if (asked) refuse(scheme, *option);
      continue;
    }
    if (taken->applies(completed)) {
      try {
        taken->complete(options, completed);
      } catch (const std::invalid_argument& error) {
        throw std::invalid_argument("scheme " + scheme.name + ": " + error.what());
      }
    } else if (asked) {
      throw std::invalid_argument("scheme " + scheme.name + ": " + option->flag() +
                                  " would do nothing; allowed with " + taken->with);
    }
  }
  if (scheme.check) scheme.check(completed);
  return completed;
}

std::string to_string(const CompletedOptions& options) {
  std::string text = "version=2 scheme=" + options.scheme().name;
  for (const QuantizationOption* option : quantization_options()) {
    const TakenQuantizationOption* taken = options.scheme().find(*option);
    if (taken == nullptr || !taken->applies(options)) continue;
    const std::string value = option->text(options);
    if (!value.empty()) text += " " + option->recipe_name() + "=" + value;
  }
  return text;
}

train::Augmentation training_augmentation(const network::Checkpoint& checkpoint) {
  std::istringstream words(checkpoint.command);
  std::string word;
  words >> word >> word;
  if (word != "train") return {4, true};
  train::Augmentation augmentation;
  while (words >> word) {
    if (word == "--flip") augmentation.flip = true;
    if (word == "--crop-padding") words >> augmentation.padding;
  }
  return augmentation;
}

}  // namespace abacus::quant
