// A convolution on the codes of a described element (tlm/element_table.hpp).
#pragma once

#include <vector>

#include "sw/quant/plan/quantization_plan.hpp"
#include "sw/quant/plan/quantized_convolution.hpp"

namespace abacus::quant {

// The step of an element with shared scales whose codes are to reach `range` on both sides. Throws
// std::invalid_argument for an element that has no positive code of either operand.
double shared_step(const hw::ElementTable& element, double range);

// Rounds the weights (output channel × input channel × ky × kx) and bias (one an output channel, or empty)
// to the plan's element. scales = product: a step for each output channel's weights (plan.weight_step), one
// of the activations (plan.activation_step), and a tap is worth their product. scales = shared: one step for
// both a group (plan.range); what a weight lies beyond the codes is taken for what |a − w| would have it add
// to the sum (AdderQuant's Theorem 1, sw/quant/layers/adder_quantizer.hpp). Throws std::invalid_argument for
// counts that do not fit.
QuantizedConvolution quantize_table_convolution(const ConvolutionPlan& plan,
                                                const std::vector<float>& weights,
                                                const std::vector<float>& bias);

}  // namespace abacus::quant
