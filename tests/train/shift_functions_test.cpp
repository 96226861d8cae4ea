#include "sw/train/shift_functions.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "sw/network/checkpoint.hpp"
#include "sw/train/modules.hpp"

namespace abacus {
namespace {

TEST(ShiftWeight, IsASignTimesAPowerOfTwo) {
  const torch::Tensor exponent =
      torch::tensor({0.0F, -1.4F, -1.6F, -13.9F, -40.0F, 3.0F, -2.0F, -2.0F, -0.5F});
  const torch::Tensor sign =
      torch::tensor({1.0F, 0.7F, -0.7F, 2.4F, -1.0F, 1.0F, 0.3F, -0.5F, 0.8F});
  const torch::Tensor expected = torch::tensor(
      {1.0F, 0.5F, -0.25F, std::ldexp(1.0F, -14), -std::ldexp(1.0F, -14), 1.0F, 0.0F, 0.0F, 1.0F});
  EXPECT_TRUE(shift_weight(exponent, sign).equal(expected)) << shift_weight(exponent, sign);
}

// With roundings' residues held fixed, w = (s + δ_s)·2^(p + δ_p).
TEST(ShiftWeight, GradientsAreThoseWithFixedRoundingResidues) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> exponents(-13.4F, -0.1F), signs(-1.4F, 1.4F);
  torch::Tensor exponent = torch::empty({50}), sign = torch::empty({50});
  for (int i = 0; i < 50; ++i) {
    exponent[i] = exponents(random);
    sign[i] = signs(random);
  }
  exponent.requires_grad_(true);
  sign.requires_grad_(true);
  const torch::Tensor upstream = torch::randn({50});
  const torch::Tensor weight = shift_weight(exponent, sign);
  (weight * upstream).sum().backward();
  for (int i = 0; i < 50; ++i) {
    const double p = exponent[i].item<double>(), s = sign[i].item<double>();
    const double dp = std::nearbyint(p) - p, ds = std::nearbyint(s) - s;
    const auto surrogate = [&](double at_s, double at_p) {
      return (at_s + ds) * std::exp2(at_p + dp);
    };
    EXPECT_NEAR(weight[i].item<double>(), surrogate(s, p), 1e-7);
    const double g = upstream[i].item<double>(), h = 1e-6;
    EXPECT_NEAR(sign.grad()[i].item<double>(),
                g * (surrogate(s + h, p) - surrogate(s - h, p)) / (2 * h), 1e-6);
    EXPECT_NEAR(exponent.grad()[i].item<double>(),
                g * (surrogate(s, p + h) - surrogate(s, p - h)) / (2 * h), 1e-6);
  }
}

TEST(ShiftWeight, AnExponentBeyondTheRangeGetsNoGradient) {
  torch::Tensor exponent = torch::tensor({-20.0F, 1.0F, -3.0F}).requires_grad_(true);
  torch::Tensor sign = torch::ones({3}).requires_grad_(true);
  shift_weight(exponent, sign).sum().backward();
  EXPECT_EQ(exponent.grad()[0].item<float>(), 0);
  EXPECT_EQ(exponent.grad()[1].item<float>(), 0);
  EXPECT_GT(exponent.grad()[2].item<float>(), 0);
  EXPECT_GT(sign.grad()[0].item<float>(), 0);
}

TEST(ShiftWeight, RefusesOtherShapesAndTypes) {
  EXPECT_THROW(shift_weight(torch::zeros({3}), torch::zeros({4})), c10::Error);
  EXPECT_THROW(shift_weight(torch::zeros({3}, torch::kFloat64), torch::zeros({3})), c10::Error);
}

TEST(ShiftAddNet, AShiftLayerIsAConvolutionAndEveryParameterLearns) {
  FloatNetwork network(make_network("lenet", Arithmetic::shiftaddnet, {1, 12, 12}, 4), 3);
  int shifts = 0;
  for (const ParameterShape& shape : parameter_shapes(network.network())) {
    EXPECT_EQ(network.parameter(shape.name).sizes().vec(), shape.shape) << shape.name;
  }
  const torch::Tensor images = torch::rand({16, 1, 12, 12});
  ForwardHooks hooks;
  hooks.compute = [&](int index, const std::vector<torch::Tensor>& inputs) {
    const Layer& layer = network.network().layers[static_cast<std::size_t>(index)];
    if (layer.arithmetic == Arithmetic::shift && layer.kind == LayerKind::convolution) {
      ++shifts;
      const torch::Tensor weight = shift_weight(network.parameter(layer.name + ".exponent"),
                                                network.parameter(layer.name + ".sign"));
      const torch::Tensor expected =
          torch::conv2d(inputs[0], weight, {}, layer.stride, layer.padding);
      EXPECT_TRUE(network.compute(index, inputs).allclose(expected));
    }
    return torch::Tensor();
  };
  network.forward(images, hooks).square().sum().backward();
  EXPECT_EQ(shifts, 2);
  for (const std::string& name : network.trainable()) {
    ASSERT_TRUE(network.parameter(name).grad().defined()) << name;
    EXPECT_GT(network.parameter(name).grad().abs().max().item<double>(), 0) << name;
  }
}

}  // namespace
}  // namespace abacus
