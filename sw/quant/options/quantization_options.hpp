// What a user chooses for a quantization: as asked, and completed by the scheme's defaults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sw/network/checkpoint.hpp"
#include "sw/quant/options/choices.hpp"
#include "sw/quant/options/element_option.hpp"
#include "sw/quant/options/option.hpp"
#include "sw/quant/plan/quantization_plan.hpp"
#include "sw/train/batches.hpp"

namespace abacus::quant {

struct QuantizationScheme;

// What each field means, which values it may have and how it is named: option_table.hpp. All zero
// where a scheme has no such thing, which then is off.
template <template <typename> class Value>
struct QuantizationValues {
  Value<ChosenElement> element{};
  Value<int> weight_bits{};
  Value<int> activation_bits{};
  Value<int> storage_bits{};
  Value<BatchNormEstimation> batch_norm{};
  Value<std::int64_t> calibration_images{};
  Value<std::int64_t> batch_norm_images{};
  Value<int> crop_padding{};
  Value<bool> flip{};
  Value<std::uint64_t> seed{};
  // Adder layers.
  Value<int> groups{};
  Value<GroupMethod> group_method{};
  Value<bool> weight_clamp{};
  Value<bool> activation_clamp{};
  Value<ActivationRange> activation_range{};
  Value<double> alpha{};
  Value<OperandGrid> operand_grid{};
  Value<SharedScale> shared_scale{};
  Value<RangeSearch> range_search{};
  Value<WeightRounding> weight_rounding{};
  Value<Reconstruction> reconstruction{};
  // Of reconstruction, and of scheme brecq (docs/reconstruction.md).
  Value<std::int64_t> reconstruction_images{};
  Value<std::int64_t> iterations{};
  Value<double> temperature{};
  Value<std::int64_t> network_iterations{};
  Value<std::int64_t> activation_iterations{};
  // Completed, 0: as many as the weights need, up to default_fraction_bits; of POST's
  // usual_table_fraction_bits() (exponent_taps.hpp).
  Value<int> fraction_bits{};
};

// As asked.
struct QuantizationOptions : QuantizationValues<std::optional> {
  std::string scheme;
};

// Every field has its value: checked, and as the scheme has it where nothing was asked for. Made by
// complete() alone.
class CompletedOptions : public QuantizationValues<Itself> {
 public:
  const QuantizationScheme& scheme() const { return *scheme_; }
  train::Augmentation augmentation() const { return {crop_padding, flip}; }

 private:
  friend CompletedOptions complete(const QuantizationOptions&, const train::Augmentation&);
  explicit CompletedOptions(const QuantizationScheme& scheme) : scheme_(&scheme) {}
  const QuantizationScheme* scheme_;
};

// `trained`: augmentation of the training images where none is asked for: as in the network's
// training. Throws std::invalid_argument naming option, what was found and what is allowed, and for
// an option that the scheme does not take, the scheme's options and the schemes that take it.
CompletedOptions complete(const QuantizationOptions& options,
                          const train::Augmentation& trained = {});

// One line of text that is the same for the same options (defaults spelled out or not); hashed, the
// package's recipe.
std::string to_string(const CompletedOptions& options);

// The augmentation that the checkpoint's training used, as far as its recorded command says; else
// pad by 4, crop and flip, AdderNet's and everyone's for these data sets.
train::Augmentation training_augmentation(const network::Checkpoint& checkpoint);

}  // namespace abacus::quant
