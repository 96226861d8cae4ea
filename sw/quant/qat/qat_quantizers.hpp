// Which weight and activation quantizer quantization-aware training of an ordinary network has, and
// where both start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/network/graph_folding.hpp"
#include "sw/quant/activations/activation_quantizer.hpp"
#include "sw/quant/options/option.hpp"
#include "sw/quant/plan/quantization_plan.hpp"
#include "sw/quant/weights/weight_quantizer.hpp"

namespace abacus::quant {

// Where the steps of LSQ's weights, and of LSQ's and ASQ's activations, start.
enum class StepStart {
  lsq,  // 2·mean|v|/√Q (Esser et al., section 2.1)
  // The least mean squared error, as uniform-ptq has it. The rule's steps are larger, which takes a
  // training many epochs to undo.
  mse
};

// Where ASQ's adapters start.
enum class AdapterStart {
  one,    // at about β = 1 for every image, as the authors' (initial_adapter)
  fitted  // where the calibration images lose least (adapter_fit.hpp)
};

std::string to_string(StepStart start);     // "lsq", "mse"
std::string to_string(AdapterStart start);  // "one", "fitted"

// Each field's meaning: quantizer_options().
template <template <typename> class Value>
struct QuantizerValues {
  Value<WeightQuantizer> weights{};
  Value<ActivationQuantizer> activations{};
  Value<int> magnitudes{};  // post; 0: as many as the width holds
  Value<StepStart> step_start{};
  // fitted: not by set_quantizers() but by fit_adapters(), which needs images.
  Value<AdapterStart> adapter_start{};
  Value<int> fraction_bits{};  // exponent weights; 0: as many as they need (exponent_taps.hpp)
};
using AskedQuantizers = QuantizerValues<std::optional>;
using QatQuantizers = QuantizerValues<Itself>;

// "post-asq": what the package's origin has before "-qat".
std::string to_string(const QatQuantizers& quantizers);

// Whether any of them has a step that starts somewhere.
bool has_step_start(const QatQuantizers& quantizers);
// Whether the weights are powers, or sums of powers, whose taps have a fraction.
bool has_fraction(const QatQuantizers& quantizers);

// The options of training's quantizers, in the order of help and documentation.
const std::vector<TakenOption<QuantizerValues>>& quantizer_options();

// One quantizer asked for, the other is LSQ; neither: nothing. Throws std::invalid_argument naming the
// option, what was found and what is allowed, for options of quantizers that are not there too.
std::optional<QatQuantizers> complete(const AskedQuantizers& asked);

// Gives every layer between the edges these quantizers at the widths that it has. PACT's activations
// start at the plan's range. `plan`: of uniform-ptq. `mean_magnitudes`: of each folded layer's output.
// Throws std::invalid_argument for widths that a quantizer does not have.
void set_quantizers(QuantizationPlan& plan, const network::Checkpoint& checkpoint,
                    const std::vector<network::FoldedLayer>& folded,
                    const std::vector<double>& mean_magnitudes, const QatQuantizers& quantizers,
                    std::uint64_t seed);

}  // namespace abacus::quant
