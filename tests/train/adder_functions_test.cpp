#include "sw/train/adder_functions.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace abacus::train {
namespace {

// The exact gradients are the derivatives: half-way between the levels the output is linear in each
// operand.
TEST(AdderConv2dOnGrid, ExactGradientsAreTheOutputsDerivatives) {
  torch::manual_seed(1);
  const torch::Tensor x = torch::randint(0, 16, {2, 3, 5, 6}).to(torch::kFloat32);
  const torch::Tensor w = torch::randint(-3, 18, {4, 3, 3, 3}).to(torch::kFloat32);
  const torch::Tensor dy = torch::randn({2, 4, 3, 3});
  const auto gradients = [&](const torch::Tensor& input, const torch::Tensor& weight) {
    torch::Tensor xs = (input * 0.25).requires_grad_(true),
                  ws = (weight * 0.25).requires_grad_(true);
    (adder_conv2d_on_grid(xs, ws, 0.25, 2, 1, AdderGradient::exact) * dy).sum().backward();
    return std::pair{xs.grad(), ws.grad()};
  };
  const auto [dx, dw] = gradients(x, w);
  // −|x − w| by its definition, with ties' derivative 0, through torch's own gradients.
  torch::Tensor xs = x.clone().requires_grad_(true), ws = w.clone().requires_grad_(true);
  const torch::Tensor columns =
      torch::constant_pad_nd(xs, {1, 1, 1, 1}).unfold(2, 3, 2).unfold(3, 3, 2);
  const torch::Tensor taps =
      columns.permute({0, 2, 3, 1, 4, 5}).unsqueeze(3) - ws.view({1, 1, 1, 4, 3, 3, 3});
  (-taps.abs().sum({4, 5, 6}).permute({0, 3, 1, 2}) * dy).sum().backward();
  EXPECT_TRUE(torch::allclose(dx, xs.grad(), 1e-3, 1e-3)) << dx - xs.grad();
  EXPECT_TRUE(torch::allclose(dw, ws.grad(), 1e-3, 1e-3)) << dw - ws.grad();
}

}  // namespace
}  // namespace abacus::train
