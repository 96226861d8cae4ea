// Shift layers that were trained as such: their weights are powers of two already.
#pragma once

#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/quant/weights/weight_quantizer.hpp"

namespace abacus::quant {

// Exactly the weights that training computed with (shift_functions.hpp): ±2^p and 0, output channel ×
// input channel × ky × kx. `layer`: a shift layer of the checkpoint's network.
std::vector<float> shift_weights(const network::Checkpoint& checkpoint,
                                 const network::Layer& layer);

// Codes of those weights, without a scale: as wide as the training's, or `bits` where that is less;
// then what is smaller than the codes reach goes to the nearest of them or 0.
WeightPlan shift_plan(const network::Layer& layer, int bits);

}  // namespace abacus::quant
