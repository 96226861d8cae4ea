// The options that several schemes take, with their defaults.
#pragma once

#include <utility>
#include <vector>

#include "sw/quant/options/option_table.hpp"

namespace abacus::quant {

using TakenOptions = std::vector<TakenQuantizationOption>;
using CompletedValues = QuantizationValues<Itself>;

template <typename... More>
TakenOptions joined(TakenOptions options, const More&... more) {
  (options.insert(options.end(), more.begin(), more.end()), ...);
  return options;
}

// Of every scheme. `operand_bits`: widths between the edges.
TakenOptions common_options(BatchNormEstimation batch_norm = BatchNormEstimation::estimated);
// Of those whose operands have the width that the user says: 2 to 8.
TakenOptions operand_widths();

// A default up to so many activation bits, for each of the widths in rising order; above them `beyond`.
template <typename T>
Usual<QuantizationValues, T> by_activation_bits(const TypedOption<QuantizationValues, T>& option,
                                                std::vector<std::pair<int, T>> up_to, T beyond) {
  Usual<QuantizationValues, T> usual;
  for (const auto& [bits, value] : up_to) {
    usual.words += option.shown(value) + " up to " + std::to_string(bits) +
                   (usual.words.empty() ? " activation bits, " : ", ");
  }
  usual.words += "else " + option.shown(beyond);
  usual.value = [up_to = std::move(up_to), beyond](const CompletedValues& options) {
    for (const auto& [bits, value] : up_to) {
      if (options.activation_bits <= bits) return value;
    }
    return beyond;
  };
  return usual;
}

// Exponent weights: as many as they need, where none are asked for. `words`: how many that is.
TakenQuantizationOption fraction_bits(const std::string& words,
                                      std::optional<Limits> limits = std::nullopt);

}  // namespace abacus::quant
