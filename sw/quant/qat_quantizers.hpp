// Which weight and activation quantizer quantization-aware training of an ordinary network has, and
// where both start.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/quant/activation_quantizer.hpp"
#include "sw/quant/graph_folding.hpp"
#include "sw/quant/quantization_plan.hpp"
#include "sw/quant/weight_quantizer.hpp"

namespace abacus {

struct QatQuantizers {
  WeightQuantizer weights = WeightQuantizer::lsq;
  ActivationQuantizer activations = ActivationQuantizer::lsq;
  int magnitudes = 0;  // post; 0: as many as the width holds
};

// "post-asq": what the package's origin has before "-qat".
std::string to_string(const QatQuantizers& quantizers);

// Gives every layer between the edges these quantizers at the widths that it has. LSQ's and ASQ's
// activations start at 2·mean|x|/√Q, PACT's at the plan's range. `mean_magnitudes`: of each folded
// layer's output. Throws std::invalid_argument for widths that a quantizer does not have.
void set_quantizers(QuantizationPlan& plan, const Checkpoint& checkpoint,
                    const std::vector<FoldedLayer>& folded,
                    const std::vector<double>& mean_magnitudes, const QatQuantizers& quantizers,
                    std::uint64_t seed);

}  // namespace abacus
