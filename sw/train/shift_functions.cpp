#include "sw/train/shift_functions.hpp"

#include <cmath>

namespace abacus::train {
namespace {

class ShiftWeight : public torch::autograd::Function<ShiftWeight> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context,
                               const torch::Tensor& exponent, const torch::Tensor& sign) {
    const torch::Tensor magnitude = exponent.clamp(lowest_shift_exponent, 0).round().exp2();
    const torch::Tensor weight = sign.round().sign() * magnitude;
    context->save_for_backward({weight});
    return weight;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const torch::Tensor weight = context->get_saved_variables()[0];
    return {gradients[0] * weight * std::log(2.0), gradients[0]};
  }
};

}  // namespace

torch::Tensor shift_weight(const torch::Tensor& exponent, const torch::Tensor& sign) {
  TORCH_CHECK(exponent.sizes() == sign.sizes() && exponent.scalar_type() == torch::kFloat32 &&
                  sign.scalar_type() == torch::kFloat32,
              "shift_weight: exponents ", exponent.sizes(), " of type ", exponent.scalar_type(),
              ", signs ", sign.sizes(), " of type ", sign.scalar_type(),
              "; expected one shape in float32");
  return ShiftWeight::apply(exponent, sign);
}

void keep_shift_exponents(torch::Tensor exponent) {
  torch::NoGradGuard no_gradient;
  exponent.clamp_(lowest_shift_exponent, 0);
}

}  // namespace abacus::train
