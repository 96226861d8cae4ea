// Which weight and activation quantizer quantization-aware training of an ordinary network has, and
// where both start.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/network/graph_folding.hpp"
#include "sw/quant/activations/activation_quantizer.hpp"
#include "sw/quant/plan/quantization_plan.hpp"
#include "sw/quant/weights/weight_quantizer.hpp"

namespace abacus {

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

struct QatQuantizers {
  WeightQuantizer weights = WeightQuantizer::lsq;
  ActivationQuantizer activations = ActivationQuantizer::lsq;
  int magnitudes = 0;  // post; 0: as many as the width holds
  StepStart step_start = StepStart::lsq;
  // fitted: not by set_quantizers() but by fit_adapters(), which needs images.
  AdapterStart adapter_start = AdapterStart::one;
};

// "post-asq": what the package's origin has before "-qat".
std::string to_string(const QatQuantizers& quantizers);

// Whether any of them has a step that starts somewhere.
bool has_step_start(const QatQuantizers& quantizers);

// "lsq", "mse". Throws std::invalid_argument naming the text and the allowed values.
const std::vector<std::string>& step_start_names();
StepStart step_start_from_string(const std::string& text);
std::string to_string(StepStart start);

// "one", "fitted"; likewise.
const std::vector<std::string>& adapter_start_names();
AdapterStart adapter_start_from_string(const std::string& text);
std::string to_string(AdapterStart start);

// Gives every layer between the edges these quantizers at the widths that it has. PACT's activations
// start at the plan's range. `plan`: of uniform-ptq. `mean_magnitudes`: of each folded layer's output.
// Throws std::invalid_argument for widths that a quantizer does not have.
void set_quantizers(QuantizationPlan& plan, const Checkpoint& checkpoint,
                    const std::vector<FoldedLayer>& folded,
                    const std::vector<double>& mean_magnitudes, const QatQuantizers& quantizers,
                    std::uint64_t seed);

}  // namespace abacus
