#include "sw/train/shift_functions.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "sw/network/checkpoint.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/optimizer.hpp"

namespace abacus::train {
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

// With the rounding's residue held fixed, w = s·2^(p + δ); the sign's gradient is straight through.
TEST(ShiftWeight, GradientsAreTheAuthors) {
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
  (shift_weight(exponent, sign) * upstream).sum().backward();
  EXPECT_TRUE(sign.grad().equal(upstream));
  for (int i = 0; i < 50; ++i) {
    const double p = exponent[i].item<double>(), s = sign[i].item<double>();
    const auto surrogate = [&](double at) {
      return std::nearbyint(s) * std::exp2(at + std::nearbyint(p) - p);
    };
    const double g = upstream[i].item<double>(), h = 1e-6;
    EXPECT_NEAR(exponent.grad()[i].item<double>(),
                g * (surrogate(p + h) - surrogate(p - h)) / (2 * h), 1e-6);
  }
}

TEST(ShiftWeight, ExponentsStayInTheirRange) {
  FloatNetwork network(
      network::make_network("lenet", network::Arithmetic::shiftaddnet, {1, 12, 12}, 4), 3);
  int exponents = 0;
  for (const double gradient : {1e3, -1e3}) {  // down, then up
    Optimizer optimizer(network, {});
    for (const std::string& name : network.trainable()) {
      const torch::Tensor& parameter = network.parameter(name);
      parameter.mutable_grad() = torch::full_like(parameter, gradient);
    }
    optimizer.step(1);
    for (const std::string& name : network.trainable()) {
      if (!network.is_shift_exponent(name)) continue;
      ++exponents;
      const torch::Tensor& parameter = network.parameter(name);
      const float bound = gradient > 0 ? lowest_shift_exponent : 0;
      EXPECT_TRUE(parameter.eq(bound).all().item<bool>()) << name;
    }
  }
  EXPECT_GT(exponents, 2);
}

TEST(ShiftWeight, RefusesOtherShapesAndTypes) {
  EXPECT_THROW(shift_weight(torch::zeros({3}), torch::zeros({4})), c10::Error);
  EXPECT_THROW(shift_weight(torch::zeros({3}, torch::kFloat64), torch::zeros({3})), c10::Error);
}

TEST(ShiftAddNet, AShiftLayerIsAConvolutionAndEveryParameterLearns) {
  FloatNetwork network(
      network::make_network("lenet", network::Arithmetic::shiftaddnet, {1, 12, 12}, 4), 3);
  int shifts = 0;
  for (const network::ParameterShape& shape : network::parameter_shapes(network.network())) {
    EXPECT_EQ(network.parameter(shape.name).sizes().vec(), shape.shape) << shape.name;
  }
  const torch::Tensor images = torch::rand({16, 1, 12, 12});
  ForwardHooks hooks;
  hooks.compute = [&](int index, const std::vector<torch::Tensor>& inputs) {
    const network::Layer& layer = network.network().layers[static_cast<std::size_t>(index)];
    if (layer.computes(network::Arithmetic::shift)) {
      ++shifts;
      const torch::Tensor weight = shift_weight(network.parameter(layer.name + ".exponent"),
                                                network.parameter(layer.name + ".sign"));
      const torch::Tensor expected = torch::conv2d(
          inputs[0], weight, {}, layer.convolution().stride, layer.convolution().padding);
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
}  // namespace abacus::train
