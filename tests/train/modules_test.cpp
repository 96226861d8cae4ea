#include "sw/train/modules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/kernels/cuda/adder_cuda.hpp"
#include "sw/network/checkpoint.hpp"
#include "sw/train/device.hpp"
#include "tests/kernels/adder_reference.hpp"

namespace abacus::train {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

torch::Tensor nhwc(const std::vector<float>& values, std::int64_t n, int h, int w, int c) {
  return torch::tensor(values).view({n, h, w, c}).permute({0, 3, 1, 2});
}

void expect_close(const torch::Tensor& found, const std::vector<double>& expected, bool from_nhwc,
                  double tolerance) {
  const torch::Tensor flat =
      (from_nhwc ? found.permute({0, 2, 3, 1}) : found).contiguous().flatten();
  ASSERT_EQ(flat.numel(), static_cast<std::int64_t>(expected.size()));
  const float* values = flat.data_ptr<float>();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(values[i], expected[i], tolerance) << "element " << i;
  }
}

TEST(AdderConvolution, HasAdderNetsGradientsOnRandomShapes) {
  std::mt19937 random(11);
  for (int i = 0; i < 30; ++i) {
    const kernels::AdderShape s = test::random_adder_shape(random);
    const std::vector<float> x = test::random_normal(test::input_elements(s), random);
    const std::vector<float> w = test::random_normal(test::weight_elements(s), random);
    const std::vector<float> g = test::random_normal(test::output_elements(s), random);
    const test::AdderResult expected = test::adder_reference(s, x, w, g);

    // Every second time in torch's usual memory order instead of channels-last.
    torch::Tensor input = nhwc(x, s.batch, s.input_height, s.input_width, s.input_channels);
    if (i % 2 == 0) input = input.contiguous();
    input.requires_grad_(true);
    torch::Tensor weight =
        torch::tensor(w).view({s.output_channels, s.input_channels, s.kernel, s.kernel});
    weight.requires_grad_(true);
    const torch::Tensor output = adder_conv2d(input, weight, s.stride, s.padding);
    output.backward(nhwc(g, s.batch, s.output_height(), s.output_width(), s.output_channels));

    SCOPED_TRACE("shape " + std::to_string(i));
    expect_close(output, expected.output, true, 1e-5 * (1 + expected.largest_sum));
    expect_close(input.grad(), expected.input_gradient, true, 1e-3);
    const double terms = static_cast<double>(s.batch) * s.output_height() * s.output_width();
    expect_close(weight.grad(), expected.weight_gradient, false, 1e-4 * (1 + terms));
  }
}

TEST(AdderConvolution, RefusesShapesThatDoNotFit) {
  EXPECT_THROW(adder_conv2d(torch::zeros({1, 3, 4, 4}), torch::zeros({2, 4, 3, 3}), 1, 1),
               c10::Error);
  EXPECT_THROW(adder_conv2d(torch::zeros({1, 3, 2, 2}), torch::zeros({2, 3, 3, 3}), 1, 0),
               c10::Error);
}

// Operands on the grid of `unit`: activations 0..255, weights to both sides of it.
struct GridOperands {
  torch::Tensor input, weight;

  GridOperands(const kernels::AdderShape& s, double unit)
      : input(torch::randint(256, {s.batch, s.input_channels, s.input_height, s.input_width}) *
              unit),
        weight(
            torch::randint(-200, 400, {s.output_channels, s.input_channels, s.kernel, s.kernel}) *
            unit) {
    input.requires_grad_(true);
    weight.requires_grad_(true);
  }
};

TEST(AdderConvolutionOnGrid, IsTheAdderConvolutionOnExactSums) {
  std::mt19937 random(12);
  torch::manual_seed(12);
  for (int i = 0; i < 20; ++i) {
    const kernels::AdderShape s = test::random_adder_shape(random);
    SCOPED_TRACE("shape " + std::to_string(i));
    const double unit = 1.0 / 64;
    const GridOperands grid(s, unit);
    const torch::Tensor y =
        adder_conv2d_on_grid(grid.input, grid.weight, unit, s.stride, s.padding);
    // Sums of multiples of a power of two are exact in the float kernel too.
    const torch::Tensor expected = adder_conv2d(grid.input, grid.weight, s.stride, s.padding);
    EXPECT_TRUE(torch::equal(y, expected));

    const torch::Tensor g = torch::randn(y.sizes());
    const auto found = torch::autograd::grad({y}, {grid.input, grid.weight}, {g});
    const auto wanted = torch::autograd::grad({expected}, {grid.input, grid.weight}, {g});
    // The clamped difference is within a step of 1/42 (activations up to 4).
    EXPECT_LT((found[0] - wanted[0]).norm().item<double>(),
              0.03 * wanted[0].norm().item<double>() + 1e-6);
    EXPECT_LT((found[1] - wanted[1]).norm().item<double>(),
              1e-3 * wanted[1].norm().item<double>() + 1e-3);
  }
}

TEST(AdderConvolutionOnGrid, RoundsWhatLiesOffTheGridAndPassesTheGradientStraight) {
  torch::Tensor input = torch::tensor({0.26F, 0.74F}).view({1, 1, 1, 2}).requires_grad_(true);
  torch::Tensor weight = torch::tensor({1.1F}).view({1, 1, 1, 1}).requires_grad_(true);
  const torch::Tensor y = adder_conv2d_on_grid(input, weight, 0.5, 1, 0);
  EXPECT_EQ(y[0][0][0][0].item<float>(), -0.5F);  // |0.5 − 1|
  EXPECT_EQ(y[0][0][0][1].item<float>(), -0.5F);
  y.sum().backward();
  EXPECT_NEAR(input.grad()[0][0][0][0].item<double>(), 0.5, 0.02);
  EXPECT_NEAR(weight.grad().item<double>(), -1.0, 1e-3);
}

TEST(AdderConvolutionOnGrid, RefusesInputsOutsideOfTheGrid) {
  const torch::Tensor weight = torch::ones({1, 1, 1, 1});
  const auto run = [&](float x, double unit) {
    adder_conv2d_on_grid(torch::full({1, 1, 2, 2}, x), weight, unit, 1, 0);
  };
  EXPECT_NO_THROW(run(25.5F, 0.1));
  EXPECT_THROW(run(25.6F, 0.1), c10::Error);
  EXPECT_THROW(run(-0.1F, 0.1), c10::Error);
  EXPECT_THROW(run(std::nanf(""), 0.1), c10::Error);
  EXPECT_THROW(run(1.0F, 0.0), c10::Error);
  EXPECT_THROW(
      adder_conv2d_on_grid(torch::zeros({1, 1, 2, 2}), torch::zeros({1, 2, 1, 1}), 1, 1, 0),
      c10::Error);
  for (const float x : {std::nanf(""), -std::numeric_limits<float>::infinity()}) {
    torch::Tensor input = torch::zeros({1, 1, 2, 2});
    input[0][0][1][1] = x;
    EXPECT_THROW(adder_conv2d_int8(input, weight, 1, 0), c10::Error) << x;
  }
}

double distance(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).norm().item<double>() / b.norm().item<double>();
}

void expect_int8_close_to_float(torch::Tensor input, double widest) {
  input.requires_grad_(true);
  torch::Tensor weight = torch::randn({20, 16, 3, 3}).requires_grad_(true);
  const torch::Tensor found = adder_conv2d_int8(input, weight, 1, 1);
  const torch::Tensor expected = adder_conv2d(input, weight, 1, 1);
  // 144 taps, each within a step at the most.
  EXPECT_LT((found - expected).abs().max().item<double>(), 144 * widest / 255);
  EXPECT_LT((found - expected).norm().item<double>(), 0.01 * expected.norm().item<double>());
  const torch::Tensor g = torch::randn(found.sizes());
  const auto gradients = torch::autograd::grad({found}, {input, weight}, {g});
  const auto wanted = torch::autograd::grad({expected}, {input, weight}, {g});
  for (int i = 0; i < 2; ++i) {
    EXPECT_LT((gradients[i] - wanted[i]).norm().item<double>(),
              0.03 * wanted[i].norm().item<double>());
  }
}

TEST(AdderConvolutionInt8, IsCloseToFloat) {
  torch::manual_seed(13);
  expect_int8_close_to_float(torch::relu(torch::randn({4, 16, 9, 9})), 4.5);
}

TEST(AdderConvolutionInt8, IsCloseToFloatForSignedInputs) {
  torch::manual_seed(14);
  // About zero, and all of them negative: padding is the largest operand then.
  expect_int8_close_to_float(torch::randn({4, 16, 9, 9}), 9);
  expect_int8_close_to_float(-torch::rand({4, 16, 9, 9}) - 1, 2.1);
}

TEST(AdderConvolutionInt8, TakesConstantInputs) {
  const torch::Tensor weight = torch::randn({20, 16, 3, 3});
  for (const float x : {0.0F, 2.0F, -2.0F}) {
    const torch::Tensor input = torch::full({1, 16, 4, 4}, x);
    EXPECT_LT(distance(adder_conv2d_int8(input, weight, 1, 0), adder_conv2d(input, weight, 1, 0)),
              0.01)
        << x;
  }
}

network::Network residual_network(network::Arithmetic arithmetic) {
  return network::make_network("resnet20", arithmetic, {1, 8, 8}, 10);
}

TEST(FloatNetwork, StartsAsDescribed) {
  FloatNetwork network(residual_network(network::Arithmetic::adder), 3);
  const torch::Tensor& adder = network.parameter("layer3.2.conv2.weight");
  EXPECT_NEAR(adder.mean().item<double>(), 0.0, 0.02);
  EXPECT_NEAR(adder.std().item<double>(), 1.0, 0.02);
  EXPECT_TRUE(network.is_adder_weight("layer3.0.downsample.0.weight"));
  EXPECT_FALSE(network.is_adder_weight("conv1.weight"));
  EXPECT_FALSE(network.is_adder_weight("fc.weight"));

  FloatNetwork same(residual_network(network::Arithmetic::adder), 3);
  FloatNetwork other(residual_network(network::Arithmetic::adder), 4);
  EXPECT_TRUE(torch::equal(adder, same.parameter("layer3.2.conv2.weight")));
  EXPECT_FALSE(torch::equal(adder, other.parameter("layer3.2.conv2.weight")));

  FloatNetwork cnn(residual_network(network::Arithmetic::cnn), 3);
  EXPECT_NEAR(cnn.parameter("layer3.2.conv2.weight").std().item<double>(),
              std::sqrt(2.0 / (64 * 9)), 0.002);
}

TEST(FloatNetwork, HasTheParametersOfItsDescription) {
  for (const std::string& name : network::network_names()) {
    const network::Network description =
        network::make_network(name, network::Arithmetic::adder, {1, 28, 28}, 10);
    FloatNetwork network(description, 1);
    EXPECT_NO_THROW(network::check_parameters(description, network.tensors(), "none")) << name;
    torch::NoGradGuard no_gradient;
    const torch::Tensor scores = network.forward(torch::randn({2, 1, 28, 28}));
    EXPECT_EQ(scores.sizes(), (std::vector<std::int64_t>{2, 10})) << name;
  }
}

TEST(FloatNetwork, GivesEveryTrainableParameterAGradient) {
  for (const network::Arithmetic arithmetic :
       {network::Arithmetic::adder, network::Arithmetic::cnn}) {
    FloatNetwork network(residual_network(arithmetic), 1);
    network.forward(torch::randn({4, 1, 8, 8})).pow(2).sum().backward();
    for (const std::string& name : network.trainable()) {
      ASSERT_TRUE(network.parameter(name).grad().defined()) << name;
      EXPECT_GT(network.parameter(name).grad().abs().max().item<float>(), 0) << name;
    }
  }
}

TEST(FloatNetwork, KeepsItsParametersThroughACheckpoint) {
  FloatNetwork network(residual_network(network::Arithmetic::adder), 5);
  network.forward(torch::randn({8, 1, 8, 8}));  // moves the running statistics
  FloatNetwork copy(network.network(), network.tensors());
  network.set_batch_norm_mode(BatchNormMode::inference);
  copy.set_batch_norm_mode(BatchNormMode::inference);
  const torch::Tensor images = torch::randn({3, 1, 8, 8});
  EXPECT_TRUE(torch::equal(network.forward(images), copy.forward(images)));
}

TEST(FloatNetwork, RefusesUnknownNamesAndOtherShapes) {
  FloatNetwork network(residual_network(network::Arithmetic::cnn), 1);
  EXPECT_THROW(network.parameter("conv7.weight"), std::out_of_range);
  EXPECT_THROW(network.set_parameter("bn1.bias", torch::zeros({15})), std::invalid_argument);
}

// Loss and gradients of one step from the same start.
struct Step {
  double loss = 0;
  torch::Tensor first_gradient, classifier_gradient;
};

Step step_in(Precision precision, network::Arithmetic arithmetic) {
  torch::manual_seed(14);
  FloatNetwork network(residual_network(arithmetic), 1);
  network.set_precision(precision);
  const torch::Tensor loss = torch::cross_entropy_loss(network.forward(torch::randn({32, 1, 8, 8})),
                                                       torch::randint(10, {32}, torch::kInt64));
  loss.backward();
  return {loss.item<double>(), network.parameter("conv1.weight").grad(),
          network.parameter("fc.weight").grad()};
}

TEST(Precision, OfTrainingChangesLittle) {
  const struct {
    Precision precision;
    network::Arithmetic arithmetic;
  } pairs[] = {{Precision::bfloat16, network::Arithmetic::cnn},
               {Precision::int8, network::Arithmetic::adder},
               {Precision::int8, network::Arithmetic::shiftaddnet}};
  for (const auto& pair : pairs) {
    SCOPED_TRACE(to_string(pair.precision));
    const Step exact = step_in(Precision::float32, pair.arithmetic);
    const Step found = step_in(pair.precision, pair.arithmetic);
    EXPECT_NE(found.loss, exact.loss);  // it is another format
    EXPECT_NEAR(found.loss, exact.loss, 0.05 * exact.loss);
    EXPECT_LT(distance(found.classifier_gradient, exact.classifier_gradient), 0.1);
    EXPECT_LT(distance(found.first_gradient, exact.first_gradient), 0.5);
  }
}

TEST(Precision, DoesNotChangeInference) {
  const struct {
    Precision precision;
    network::Arithmetic arithmetic;
  } pairs[] = {{Precision::bfloat16, network::Arithmetic::cnn},
               {Precision::int8, network::Arithmetic::adder},
               {Precision::int8, network::Arithmetic::shiftaddnet}};
  for (const auto& pair : pairs) {
    FloatNetwork network(residual_network(pair.arithmetic), 1);
    network.set_batch_norm_mode(BatchNormMode::inference);
    const torch::Tensor images = torch::randn({3, 1, 8, 8});
    const torch::Tensor exact = network.forward(images);
    network.set_precision(pair.precision);
    EXPECT_TRUE(torch::equal(network.forward(images), exact)) << to_string(pair.precision);
  }
}

std::string refusal(const network::Network& network, Precision precision) {
  try {
    FloatNetwork(network, 1).set_precision(precision);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Precision, IsRefusedWhereItDoesNotApply) {
  EXPECT_THAT(refusal(residual_network(network::Arithmetic::adder), Precision::bfloat16),
              AllOf(HasSubstr("precision: found bfloat16"), HasSubstr("int8")));
  EXPECT_THAT(refusal(residual_network(network::Arithmetic::cnn), Precision::int8),
              AllOf(HasSubstr("precision: found int8"), HasSubstr("bfloat16")));
  for (const std::string& name : network::network_names()) {
    EXPECT_EQ(refusal(network::make_network(name, network::Arithmetic::adder, {1, 28, 28}, 10),
                      Precision::int8),
              "accepted")
        << name;
  }
}

TEST(Precision, HasNames) {
  for (const Precision p : {Precision::float32, Precision::bfloat16, Precision::int8}) {
    EXPECT_EQ(precision_from_string(to_string(p)), p);
  }
  try {
    precision_from_string("float16");
    ADD_FAILURE() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("float16"), HasSubstr("bfloat16"), HasSubstr("int8")));
  }
}

// Without hooks batch norms take in what follows them; with hooks every layer is on its own.
TEST(FloatNetwork, ComputesTheSameInTrainingWithAndWithoutHooks) {
  for (const std::string& name : network::network_names()) {
    for (const network::Arithmetic arithmetic :
         {network::Arithmetic::adder, network::Arithmetic::cnn}) {
      const network::Network description = network::make_network(name, arithmetic, {1, 28, 28}, 10);
      FloatNetwork fused(description, 1), single(description, 1);
      const torch::Tensor images = torch::randn({4, 1, 28, 28});
      ForwardHooks hooks;
      hooks.after = [](int, torch::Tensor&) {};
      const torch::Tensor a = fused.forward(images), b = single.forward(images, hooks);
      EXPECT_TRUE(torch::allclose(a, b, 1e-3, 1e-3)) << name << " " << (a - b).abs().max();
      a.pow(2).sum().backward();
      b.pow(2).sum().backward();
      for (const std::string& parameter : fused.trainable()) {
        const torch::Tensor &ga = fused.parameter(parameter).grad(),
                            &gb = single.parameter(parameter).grad();
        EXPECT_LT((ga - gb).norm().item<double>(), 0.02 * gb.norm().item<double>() + 1e-4)
            << name << " " << parameter;
      }
      for (const auto& [parameter, values] : fused.tensors()) {
        EXPECT_TRUE(torch::allclose(to_torch(values), single.parameter(parameter), 1e-3, 1e-4))
            << name << " " << parameter;
      }
    }
  }
}

TEST(ForwardHooks, SeeEveryLayerWithItsShape) {
  FloatNetwork network(residual_network(network::Arithmetic::adder), 1);
  const auto& layers = network.network().layers;
  std::vector<int> seen;
  ForwardHooks hooks;
  hooks.after = [&](int layer, torch::Tensor& output) {
    const network::Shape& shape = layers[static_cast<std::size_t>(layer)].output;
    EXPECT_EQ(output.sizes(),
              (std::vector<std::int64_t>{2, shape.channels, shape.height, shape.width}));
    seen.push_back(layer);
  };
  network.forward(torch::randn({2, 1, 8, 8}), hooks);
  ASSERT_EQ(seen.size(), layers.size());
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], static_cast<int>(i));
}

TEST(ForwardHooks, DoNotChangeTheResultByWatching) {
  FloatNetwork network(residual_network(network::Arithmetic::adder), 1);
  network.set_batch_norm_mode(BatchNormMode::inference);
  torch::NoGradGuard no_gradient;
  const torch::Tensor images = torch::randn({2, 1, 8, 8});
  std::vector<torch::Tensor> kept, copies;
  ForwardHooks hooks;
  hooks.after = [&](int, torch::Tensor& output) {
    kept.push_back(output);
    copies.push_back(output.clone());
  };
  const torch::Tensor watched = network.forward(images, hooks);
  EXPECT_TRUE(torch::equal(watched, network.forward(images)));
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_TRUE(torch::equal(kept[i], copies[i])) << "layer " << i << " was overwritten later";
  }
}

TEST(ForwardHooks, ReplaceInputsComputationAndOutputs) {
  FloatNetwork network(residual_network(network::Arithmetic::cnn), 1);
  network.set_batch_norm_mode(BatchNormMode::inference);
  torch::NoGradGuard no_gradient;
  const torch::Tensor images = torch::randn({2, 1, 8, 8});
  const int last = static_cast<int>(network.network().layers.size()) - 1;
  ForwardHooks hooks;
  hooks.before = [&](int layer, std::vector<torch::Tensor>& inputs) {
    if (layer == 0) inputs[0] = 2 * inputs[0];
  };
  EXPECT_TRUE(torch::allclose(network.forward(images, hooks), network.forward(2 * images)));
  hooks = {};
  hooks.compute = [&](int layer, const std::vector<torch::Tensor>& inputs) {
    return layer == last ? inputs[0] * 0 + 3 : torch::Tensor();
  };
  EXPECT_TRUE(torch::equal(network.forward(images, hooks), torch::full({2, 10}, 3.0)));
  hooks = {};
  hooks.after = [&](int layer, torch::Tensor& output) {
    if (layer == last) output = output + 1;
  };
  EXPECT_TRUE(torch::equal(network.forward(images, hooks), network.forward(images) + 1));
}

TEST(BatchNormModes, ReEstimationAveragesOverAllBatches) {
  FloatNetwork network(residual_network(network::Arithmetic::adder), 1);
  torch::NoGradGuard no_gradient;
  network.forward(torch::randn({4, 1, 8, 8}));  // statistics that must be forgotten
  network.set_batch_norm_mode(BatchNormMode::re_estimation);
  torch::Tensor mean = torch::zeros({16}), variance = torch::zeros({16});
  const int bn1 = 1;
  ASSERT_EQ(network.network().layers[bn1].name, "bn1");
  ForwardHooks hooks;
  hooks.before = [&](int layer, std::vector<torch::Tensor>& inputs) {
    if (layer != bn1) return;
    mean += inputs[0].mean({0, 2, 3}) / 5;
    variance += inputs[0].var({0, 2, 3}, true) / 5;
  };
  for (int batch = 0; batch < 5; ++batch) {
    network.forward((1.0 + batch) * torch::randn({4, 1, 8, 8}), hooks);
  }
  EXPECT_TRUE(torch::allclose(network.parameter("bn1.running_mean"), mean, 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(network.parameter("bn1.running_var"), variance, 1e-4, 1e-5));
}

TEST(BatchNormModes, InferenceChangesNothing) {
  FloatNetwork network(residual_network(network::Arithmetic::adder), 1);
  network.set_batch_norm_mode(BatchNormMode::inference);
  torch::NoGradGuard no_gradient;
  network.forward(torch::randn({4, 1, 8, 8}));
  EXPECT_TRUE(torch::equal(network.parameter("bn1.running_mean"), torch::zeros({16})));
}

TEST(Device, RefusesWhatIsNotHere) {
  const auto error_of = [](const std::string& name) -> std::string {
    try {
      device_from_string(name);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(device_from_string("cpu"), torch::Device(torch::kCPU));
  EXPECT_THAT(error_of("tpu"), AllOf(HasSubstr("tpu"), HasSubstr("cpu, cuda")));
  if (!kernels::built_with_cuda()) {
    EXPECT_THAT(error_of("cuda"), AllOf(HasSubstr("ABACUS_CUDA"), HasSubstr("allowed: cpu")));
  }
}

TEST(Device, AGpuTrainsInFloat32Alone) {
  EXPECT_NO_THROW(check_device(torch::kCUDA, Precision::float32));
  for (const Precision precision : {Precision::bfloat16, Precision::int8}) {
    EXPECT_NO_THROW(check_device(torch::kCPU, precision));
    EXPECT_THROW(check_device(torch::kCUDA, precision), std::invalid_argument);
  }
}

// One network on the processor and on a GPU: outputs and gradients.
TEST(Device, AGpuTrainsAsTheProcessorDoes) {
  if (!kernels::built_with_cuda() || !at::globalContext().hasCUDA()) GTEST_SKIP() << "no GPU here";
  for (const network::Arithmetic arithmetic :
       {network::Arithmetic::adder, network::Arithmetic::cnn}) {
    SCOPED_TRACE(network::to_string(arithmetic));
    torch::manual_seed(3);
    const torch::Tensor images = torch::randn({6, 1, 8, 8});
    std::vector<std::map<std::string, torch::Tensor>> gradients;
    std::vector<torch::Tensor> scores;
    for (const std::string device : {"cpu", "cuda"}) {
      FloatNetwork network(residual_network(arithmetic), 1);
      network.to(device_from_string(device));
      const torch::Tensor found = network.forward(images);
      found.square().sum().backward();
      scores.push_back(found.detach().to(torch::kCPU));
      gradients.emplace_back();
      for (const std::string& name : network.trainable()) {
        gradients.back()[name] = network.parameter(name).grad().to(torch::kCPU);
      }
    }
    EXPECT_TRUE(torch::allclose(scores[0], scores[1], 1e-3, 1e-4));
    for (const auto& [name, gradient] : gradients[0]) {
      const double size = gradient.norm().item<double>();
      EXPECT_LT((gradient - gradients[1].at(name)).norm().item<double>(), 1e-3 * size) << name;
    }
  }
}

}  // namespace
}  // namespace abacus::train
