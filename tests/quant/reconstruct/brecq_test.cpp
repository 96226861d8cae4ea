#include "sw/quant/reconstruct/brecq.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/optim/adam.h>

#include <cmath>
#include <random>
#include <stdexcept>

#include "sw/network/integer_network.hpp"
#include "sw/quant/reconstruct/adaround.hpp"
#include "tests/quant/reconstruct/reconstruction_case.hpp"

namespace abacus::quant {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(AdaRound, RectifiedSigmoidHasTheStatedValues) {
  // 1.2·σ(a) − 0.1: σ(0) = 1/2; σ(ln 3) = 3/4; σ(ln 11) = 11/12, so 1; σ(−ln 11) = 1/12, so 0.
  const torch::Tensor a = torch::tensor(
      {0.0, std::log(3.0), -std::log(3.0), std::log(11.0), -std::log(11.0), 9.0, -9.0});
  const torch::Tensor wanted = torch::tensor({0.5, 0.8, 0.2, 1.0, 0.0, 1.0, 0.0});
  EXPECT_TRUE(torch::allclose(rectified_sigmoid(a), wanted, 0, 1e-6));
}

TEST(AdaRound, InverseIsTheInverse) {
  const torch::Tensor h = torch::linspace(0, 1, 101, torch::kFloat64);
  EXPECT_TRUE(torch::allclose(rectified_sigmoid(inverse_rectified_sigmoid(h)), h, 0, 1e-9));
}

TEST(AdaRound, RegularizerHasTheStatedValues) {
  const auto value = [](std::vector<double> h, double beta) {
    return rounding_regularizer(torch::tensor(h), beta).item<double>();
  };
  EXPECT_NEAR(value({0, 1, 0, 1}, 7), 0, 1e-12);
  EXPECT_NEAR(value({0.5}, 2), 1, 1e-12);
  EXPECT_NEAR(value({0.75, 0.25}, 2), 1.5, 1e-12);  // 2 · (1 − (1/2)²)
  EXPECT_NEAR(value({0.9}, 20), 1 - std::pow(0.8, 20), 1e-6);
}

TEST(AdaRound, BetaFallsFrom20To2AfterAFifth) {
  EXPECT_FALSE(rounding_regularized(0, 1000));
  EXPECT_FALSE(rounding_regularized(199, 1000));
  EXPECT_TRUE(rounding_regularized(200, 1000));
  EXPECT_DOUBLE_EQ(rounding_beta(199, 1000), 20);
  EXPECT_DOUBLE_EQ(rounding_beta(200, 1000), 20);
  EXPECT_DOUBLE_EQ(rounding_beta(600, 1000), 11);
  EXPECT_NEAR(rounding_beta(999, 1000), 2, 0.03);
}

TEST(AdaRound, StartsAtTheWeightsAndEndsAtALevelBesideThem) {
  const torch::Tensor weights =
      torch::tensor({-3.2F, -1.5F, -0.25F, 0.0F, 0.75F, 1.0F, 1.4F, 9.0F});
  const AdaptiveRounding rounding(weights, -2, 1);
  EXPECT_TRUE(torch::allclose(rounding.soft(), weights.clamp(-2, 1), 0, 1e-5));
  const torch::Tensor hard = rounding.hard();
  EXPECT_TRUE(torch::equal(hard, hard.round()));
  EXPECT_LE((hard - weights.clamp(-2, 1)).abs().max().item<double>(), 0.5);
}

double error_of_step(const std::vector<float>& weights, double step, int lowest, int highest) {
  double error = 0;
  for (const float weight : weights) {
    const double w = static_cast<double>(weight);
    const double level =
        std::min<double>(highest, std::max<double>(lowest, std::floor(w / step + 0.5)));
    error += std::pow(std::abs(w - step * level), 2.4);
  }
  return error;
}

TEST(AdaRound, WeightStepHasTheLeastErrorOfItsCandidates) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0, 0.3F);
  for (const int bits : {2, 3, 4, 8}) {
    std::vector<float> weights(200);
    for (float& weight : weights) weight = normal(random);
    const int lowest = -(1 << (bits - 1)), highest = -lowest - 1;
    const double found = error_of_step(
        weights, weight_step_of_least_error(weights.data(), weights.size(), bits), lowest, highest);
    double largest = 0;
    for (const float weight : weights)
      largest = std::max(largest, std::abs(static_cast<double>(weight)));
    for (const double part : {0.21, 0.35, 0.5, 0.64, 0.77, 0.9, 1.0}) {
      EXPECT_LE(found, error_of_step(weights, part * largest / highest, lowest, highest) + 1e-9)
          << bits << " bits, " << part;
    }
  }
  const std::vector<float> zeros(9);
  EXPECT_DOUBLE_EQ(weight_step_of_least_error(zeros.data(), zeros.size(), 4), 1);
  EXPECT_THROW(weight_steps_of_least_error({1, 2, 3}, 2, 4), std::invalid_argument);
  EXPECT_THROW(weight_steps_of_least_error({1, 2}, 2, 9), std::invalid_argument);
}

// Rounding learned against a layer's output beats rounding each weight to the nearest level, since
// the inputs are correlated.
TEST(AdaRound, LearnedRoundingBeatsNearestOnAToyLayer) {
  torch::manual_seed(1);
  const torch::Tensor inputs = torch::rand({256, 24}) + torch::rand({256, 1});
  const torch::Tensor weights = torch::randn({24, 8}) * 1.5;
  AdaptiveRounding rounding(weights, -4, 3);
  const torch::Tensor target = inputs.matmul(weights.clamp(-4, 3));
  torch::optim::Adam optimizer(std::vector<torch::Tensor>{rounding.parameter()},
                               torch::optim::AdamOptions(0.01));
  constexpr int iterations = 1500;
  for (int i = 0; i < iterations; ++i) {
    torch::Tensor loss = (inputs.matmul(rounding.soft()) - target).square().sum(1).mean();
    if (rounding_regularized(i, iterations)) {
      loss = loss + 0.01 * rounding_regularizer(rounding.h(), rounding_beta(i, iterations));
    }
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
  const auto error = [&](const torch::Tensor& rounded) {
    return (inputs.matmul(rounded) - target).square().mean().item<double>();
  };
  EXPECT_LT(error(rounding.hard()), 0.7 * error(weights.round().clamp(-4, 3)));
}

BrecqOptions few() {
  BrecqOptions options;
  options.images = 64;
  options.iterations = 400;
  options.activation_iterations = 100;
  return options;
}

TEST(Brecq, LowersTheErrorAndKeepsEachWeightBesideItsFloatValue) {
  test::ReconstructionCase made("lenet", network::Arithmetic::cnn, 3);
  train::FloatNetwork network = made.float_network();
  const QuantizedNetwork before = made.quantized;
  const std::vector<UnitError> errors = brecq(made.quantized, network, made.data, few(), {});
  ASSERT_FALSE(errors.empty());
  double whole_before = 0, whole_after = 0;
  for (const UnitError& error : errors) {
    whole_before += error.before;
    whole_after += error.after;
  }
  EXPECT_LT(errors.back().after, errors.back().before);
  EXPECT_LT(whole_after, whole_before);
  int changed = 0, steps = 0;
  for (std::size_t i = 0; i < before.layers.size(); ++i) {
    const QuantizedLayer& layer = before.layers[i];
    if (layer.folded.kind != network::IntegerLayerKind::convolution) continue;
    const QuantizedConvolution& old = layer.convolution;
    const QuantizedConvolution& now = made.quantized.layers[i].convolution;
    const std::string name =
        made.checkpoint.network.layers[static_cast<std::size_t>(layer.folded.layer)].name;
    const std::vector<float> weights = made.checkpoint.tensors.at(name + ".weight").values<float>();
    const std::size_t size = weights.size() / old.group.size();
    for (std::size_t w = 0; w < weights.size(); ++w) {
      const double step = old.accumulator_step[w / size] / old.activation_step.front();
      const double level =
          std::min<double>(highest_integer(old.weight_bits, true),
                           std::max<double>(lowest_integer(old.weight_bits, true),
                                            static_cast<double>(weights[w]) / step));
      ASSERT_LE(std::abs(now.weights[w] - level), 1 + 1e-4) << name;
      changed += now.weights[w] != old.weights[w] ? 1 : 0;
    }
    steps += now.activation_step != old.activation_step ? 1 : 0;
    EXPECT_EQ(made.quantized.layers[i].batch_norm.weight, layer.batch_norm.weight);
    EXPECT_EQ(made.quantized.layers[i].batch_norm.mean, layer.batch_norm.mean);
  }
  EXPECT_GT(changed, 0);
  EXPECT_GT(steps, 0);
  EXPECT_NO_THROW(network::validate(to_integer_network(made.quantized), "reconstructed"));
}

TEST(Brecq, SameSeedSameResult) {
  const auto run = [](std::uint64_t seed) {
    test::ReconstructionCase made("lenet", network::Arithmetic::cnn, 2);
    train::FloatNetwork network = made.float_network();
    BrecqOptions options = few();
    options.seed = seed;
    brecq(made.quantized, network, made.data, options, {});
    std::vector<double> steps;
    std::vector<std::int16_t> weights;
    for (const QuantizedLayer& layer : made.quantized.layers) {
      const QuantizedConvolution& convolution = layer.convolution;
      weights.insert(weights.end(), convolution.weights.begin(), convolution.weights.end());
      steps.insert(steps.end(), convolution.activation_step.begin(),
                   convolution.activation_step.end());
    }
    return std::make_pair(weights, steps);
  };
  const auto first = run(1);
  EXPECT_EQ(first, run(1));
  EXPECT_NE(first, run(2));
}

TEST(Brecq, RefusesAdderNetworksAndBadOptions) {
  test::ReconstructionCase made("lenet", network::Arithmetic::adder, 4);
  train::FloatNetwork network = made.float_network();
  try {
    brecq(made.quantized, network, made.data, few(), {});
    FAIL() << "an adder network was taken";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("layer \""), HasSubstr("adder")));
  }
  BrecqOptions options;
  EXPECT_NO_THROW(check(options));
  options.iterations = 0;
  EXPECT_THROW(check(options), std::invalid_argument);
  options = {};
  options.activation_iterations = -1;
  EXPECT_THROW(check(options), std::invalid_argument);
  options = {};
  options.batch = 0;
  EXPECT_THROW(check(options), std::invalid_argument);
}

}  // namespace
}  // namespace abacus::quant
