// From a plan to a network on its integer grids.
#pragma once

#include "sw/network/checkpoint.hpp"
#include "sw/quant/plan/quantization_plan.hpp"
#include "sw/quant/plan/quantized_network.hpp"

namespace abacus::quant {

// Rounds the checkpoint's weights as the plan says; BatchNorms stay the checkpoint's
// (batch_norm_estimation.hpp adjusts them). Throws std::invalid_argument where the plan does not
// have one entry a layer of fold_graph(checkpoint.network), or does not fit a layer.
QuantizedNetwork apply_plan(const network::Checkpoint& checkpoint, const QuantizationPlan& plan);

// One layer of that: sets its convolution and read quantizers. `input`: the stored tensor that it
// reads.
void set_operands(const network::Checkpoint& checkpoint, const ConvolutionPlan& plan,
                  const network::StoredTensor& input, QuantizedLayer& layer);

}  // namespace abacus::quant
