#include "sw/quant/layers/shift_quantizer.hpp"

#include <algorithm>
#include <cmath>

#include "sw/train/shift_functions.hpp"

namespace abacus::quant {

std::vector<float> shift_weights(const network::Checkpoint& checkpoint,
                                 const network::Layer& layer) {
  const std::vector<float> exponents =
      checkpoint.tensors.at(layer.name + ".exponent").values<float>();
  const std::vector<float> signs = checkpoint.tensors.at(layer.name + ".sign").values<float>();
  std::vector<float> weights;
  for (std::size_t i = 0; i < exponents.size(); ++i) {
    const float sign = std::nearbyint(signs[i]);
    const float exponent = std::nearbyint(
        std::clamp(exponents[i], static_cast<float>(train::lowest_shift_exponent), 0.0F));
    weights.push_back(sign == 0 ? 0 : std::copysign(std::exp2(exponent), sign));
  }
  return weights;
}

WeightPlan shift_plan(const network::Layer& layer, int bits) {
  WeightPlan plan{WeightQuantizer::pot, std::min(bits, train::shift_weight_bits), 0, {}};
  plan.parameters.assign(static_cast<std::size_t>(layer.output.channels), 1.0);
  return plan;
}

}  // namespace abacus::quant
