#include "sw/train/optimizer.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace abacus::train {
namespace {

FloatNetwork small_network(network::Arithmetic arithmetic) {
  return FloatNetwork(network::make_network("lenet", arithmetic, {1, 8, 8}, 2), 1);
}

void set_gradients(FloatNetwork& network, double value) {
  for (const std::string& name : network.trainable()) {
    network.parameter(name).mutable_grad() = torch::full_like(network.parameter(name), value);
  }
}

TEST(Optimizer, FollowsMomentumAndWeightDecay) {
  FloatNetwork network = small_network(network::Arithmetic::cnn);
  OptimizerOptions options;
  options.momentum = 0.5;
  options.weight_decay = 0.25;
  Optimizer optimizer(network, options);
  network.set_parameter("bn1.bias", torch::full({8}, 2.0));
  set_gradients(network, 1.0);
  optimizer.step(0.5);  // v = 1 + .25·2 = 1.5; w = 2 − .5·1.5
  EXPECT_FLOAT_EQ(network.parameter("bn1.bias")[0].item<float>(), 1.25F);
  set_gradients(network, 1.0);
  optimizer.step(0.5);  // v = .5·1.5 + 1 + .25·1.25 = 2.0625; w = 1.25 − .5·2.0625
  EXPECT_FLOAT_EQ(network.parameter("bn1.bias")[0].item<float>(), 0.21875F);
}

TEST(Optimizer, LooksAheadWithNesterov) {
  FloatNetwork network = small_network(network::Arithmetic::cnn);
  OptimizerOptions options;
  options.momentum = 0.5;
  options.weight_decay = 0;
  options.nesterov = true;
  Optimizer optimizer(network, options);
  network.set_parameter("bn1.bias", torch::zeros({8}));
  set_gradients(network, 1.0);
  optimizer.step(1.0);  // v = 1, step = 1 + .5·1
  EXPECT_FLOAT_EQ(network.parameter("bn1.bias")[0].item<float>(), -1.5F);
}

TEST(Optimizer, GivesAdderWeightsAGradientOfFixedNorm) {
  for (const double scale : {1e-3, 1.0, 1e4}) {
    FloatNetwork network = small_network(network::Arithmetic::adder);
    OptimizerOptions options;
    options.momentum = 0;
    options.weight_decay = 0;
    options.adder_rate = 0.3;
    Optimizer optimizer(network, options);
    const torch::Tensor adder_before = network.parameter("conv2.weight").detach().clone();
    const torch::Tensor cnn_before = network.parameter("conv1.weight").detach().clone();
    set_gradients(network, scale);
    optimizer.step(0.1);
    // η·√k·dW/‖dW‖ has norm η·√k, whatever dW's.
    const torch::Tensor step = adder_before - network.parameter("conv2.weight").detach();
    const double root = std::sqrt(static_cast<double>(step.numel()));
    EXPECT_NEAR(step.norm().item<double>(), 0.1 * 0.3 * root, 1e-4 * root) << scale;
    EXPECT_NEAR((cnn_before - network.parameter("conv1.weight").detach()).mean().item<double>(),
                0.1 * scale, 1e-4 * scale + 1e-6);
  }
}

TEST(Optimizer, SurvivesAnAdderGradientOfZero) {
  FloatNetwork network = small_network(network::Arithmetic::adder);
  Optimizer optimizer(network, {});
  set_gradients(network, 0.0);
  optimizer.step(0.1);
  EXPECT_TRUE(torch::isfinite(network.parameter("conv2.weight")).all().item<bool>());
}

// Two steps by hand: m and v are corrected for having started at 0.
TEST(Optimizer, FollowsAdam) {
  FloatNetwork network = small_network(network::Arithmetic::adder);
  OptimizerOptions options;
  options.method = OptimizerMethod::adam;
  options.weight_decay = 0.5;
  Optimizer optimizer(network, options);
  for (const char* name : {"bn1.bias", "conv2.weight"}) {
    network.set_parameter(name, torch::full_like(network.parameter(name), 2.0));
  }
  set_gradients(network, 3.0);
  optimizer.step(0.1);  // 2·(1 − .1·.5) − .1·3/3
  EXPECT_NEAR(network.parameter("bn1.bias")[0].item<double>(), 1.8, 1e-6);
  EXPECT_NEAR(network.parameter("conv2.weight").min().item<double>(), 1.8, 1e-6);
  set_gradients(network, -1.0);
  optimizer.step(0.1);
  const double m = (0.9 * 0.1 * 3 - 0.1) / (1 - 0.81);
  const double v = (0.999 * 0.001 * 9 + 0.001) / (1 - 0.999 * 0.999);
  EXPECT_NEAR(network.parameter("bn1.bias")[0].item<double>(), 1.8 * 0.95 - 0.1 * m / std::sqrt(v),
              1e-5);
}

TEST(CosineRate, RisesThenFallsToZero) {
  EXPECT_DOUBLE_EQ(cosine_rate(0.1, 0.5, 10, 1), 0.05);
  EXPECT_DOUBLE_EQ(cosine_rate(0.1, 1, 10, 1), 0.1);
  EXPECT_NEAR(cosine_rate(0.1, 5.5, 10, 1), 0.05, 1e-12);
  EXPECT_NEAR(cosine_rate(0.1, 10, 10, 1), 0.0, 1e-12);
  EXPECT_DOUBLE_EQ(cosine_rate(0.2, 0, 4, 0), 0.2);
}

}  // namespace
}  // namespace abacus::train
