#include "sw/quant/schemes/scheme_options.hpp"

#include <string>

namespace abacus::quant {
namespace {

// What complete() was given.
template <typename T>
Usual<QuantizationValues, T> as_in_training(const TypedOption<QuantizationValues, T>& option) {
  return {[&option](const CompletedValues& values) {
            CompletedValues copy = values;
            return option.completed(copy);
          },
          "as in the training"};
}

}  // namespace

TakenOptions common_options(BatchNormEstimation batch_norm) {
  return {takes(option::storage_bits, 8),
          takes(option::batch_norm, batch_norm),
          takes(option::calibration_images, 2000),
          takes(option::batch_norm_images, 8000),
          takes(option::crop_padding, as_in_training(option::crop_padding)),
          takes(option::flip, as_in_training(option::flip)),
          takes(option::seed, 1)};
}

TakenOptions operand_widths() {
  return {needs(option::weight_bits, Limits{2, 8}), needs(option::activation_bits, Limits{2, 8})};
}

TakenQuantizationOption fraction_bits(const std::string& words, std::optional<Limits> limits) {
  return takes(option::fraction_bits,
               Usual<QuantizationValues, int>{[](const CompletedValues&) { return 0; }, words},
               limits);
}

}  // namespace abacus::quant
