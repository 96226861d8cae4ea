// Forward the quantizers' exact levels, backward the derivatives of the papers' surrogates.
#include "sw/quant/fake/quantizer_functions.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/quant/plan/fixed_point.hpp"

namespace abacus::quant {
namespace {

using Values = std::vector<double>;

constexpr int channels = 2;
constexpr std::size_t size = 24;  // of a channel

std::vector<float> drawn(unsigned seed, std::size_t count, float deviation) {
  std::mt19937 random(seed);
  std::normal_distribution<float> values(0.02F, deviation);
  std::vector<float> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(values(random));
  return result;
}

torch::Tensor weight_tensor(const std::vector<float>& values) {
  return torch::tensor(values).view({channels, 6, 2, 2});
}

// What the gradient of a weight quantizer is that of: weights and parameters → values.
using Surrogate = std::function<Values(const Values& weights, const Values& parameters)>;

// Rounding residues are fixed at the values where the derivative is taken.
Surrogate surrogate_of(const WeightPlan& plan, const QuantizedWeights& at,
                       const std::vector<float>& weights) {
  const auto level = [=](std::size_t i) { return at.code.value(at.stored[i]); };
  const auto original = [=](std::size_t i) { return static_cast<double>(weights[i]); };
  const Moments of = moments(weights);
  const Values start = plan.parameters;
  return [=](const Values& w, const Values& p) {
    Values result;
    double largest = 0;
    for (const double weight : w) largest = std::max(largest, std::abs(std::tanh(weight)));
    for (std::size_t i = 0; i < w.size(); ++i) {
      const std::size_t o = i / size;
      switch (plan.quantizer) {
        case WeightQuantizer::lsq: {
          const double lowest = -(1 << (plan.bits - 1)), highest = (1 << (plan.bits - 1)) - 1;
          const double v = original(i) / start[o];
          const bool inside = v >= lowest && v <= highest;
          const double residue = inside ? level(i) - v : 0;
          result.push_back(p[o] * (std::clamp(w[i] / p[o], lowest, highest) + residue));
          break;
        }
        case WeightQuantizer::apot: {
          const double then = (original(i) - of.mean) / of.deviation / start[0];
          const double rounded = level(i) * at.step[o] / start[0];
          const double residue = std::abs(then) <= 1 ? rounded - then : 0;
          const double now = (w[i] - of.mean) / of.deviation / p[0];
          result.push_back(p[0] * (std::clamp(now, -1.0, 1.0) + residue));
          break;
        }
        case WeightQuantizer::dorefa:
          result.push_back(std::tanh(w[i]) / largest);
          break;
        case WeightQuantizer::pot:
        case WeightQuantizer::post:
          result.push_back(std::clamp(w[i], -at.step[o], at.step[o]));
          break;
        case WeightQuantizer::pact:
        case WeightQuantizer::lqnet:
          result.push_back(w[i]);
          break;
      }
    }
    return result;
  };
}

class WeightFunctions : public ::testing::TestWithParam<std::string> {};

TEST_P(WeightFunctions, AreTheLevelsWithTheSurrogatesGradient) {
  for (const int bits : {2, 3, 4}) {
    SCOPED_TRACE(bits);
    const std::vector<float> values = drawn(static_cast<unsigned>(bits), channels * size, 0.4F);
    WeightPlan plan{weight_quantizer_from_string(GetParam()), bits, 0, {}};
    plan.parameters = initial_parameters(plan, values, channels);
    const QuantizedWeights quantized = quantize_weights(plan, values, channels);
    torch::Tensor weights = weight_tensor(values).requires_grad_(true);
    torch::Tensor parameters = torch::tensor(plan.parameters, torch::kFloat64);
    const bool learned =
        plan.quantizer == WeightQuantizer::lsq || plan.quantizer == WeightQuantizer::apot;
    parameters.requires_grad_(learned);
    const torch::Tensor found = fake_level_weights(plan, weights, parameters, quantized);
    ASSERT_EQ(found.scalar_type(), torch::kFloat32);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double expected = quantized.step[i / size] * quantized.code.value(quantized.stored[i]);
      EXPECT_NEAR(found.flatten()[static_cast<std::int64_t>(i)].item<double>(), expected,
                  1e-6 * (1 + std::abs(expected)));
    }

    const std::vector<float> upstream = drawn(77, channels * size, 1);
    (found * weight_tensor(upstream)).sum().backward();
    const Surrogate surrogate = surrogate_of(plan, quantized, values);
    const auto weighted = [&](const Values& w, const Values& p) {
      const Values result = surrogate(w, p);
      double sum = 0;
      for (std::size_t i = 0; i < result.size(); ++i) {
        sum += result[i] * static_cast<double>(upstream[i]);
      }
      return sum;
    };
    const Values w(values.begin(), values.end());
    for (std::size_t i = 0; i < w.size(); ++i) {
      Values moved = w;
      const double middle = moved[i];
      moved[i] = middle + 1e-6;
      const double above = weighted(moved, plan.parameters);
      moved[i] = middle - 1e-6;
      const double expected = (above - weighted(moved, plan.parameters)) / 2e-6;
      EXPECT_NEAR(weights.grad().flatten()[static_cast<std::int64_t>(i)].item<double>(), expected,
                  1e-4 * (1 + std::abs(expected)))
          << "weight " << i;
    }
    for (std::size_t i = 0; learned && i < plan.parameters.size(); ++i) {
      Values moved = plan.parameters;
      moved[i] = plan.parameters[i] + 1e-6;
      const double above = weighted(w, moved);
      moved[i] = plan.parameters[i] - 1e-6;
      const double expected = (above - weighted(w, moved)) / 2e-6;
      EXPECT_GT(std::abs(expected), 1e-3);
      EXPECT_NEAR(parameters.grad()[static_cast<std::int64_t>(i)].item<double>(), expected, 1e-4);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, WeightFunctions, ::testing::ValuesIn(weight_quantizer_names()),
                         [](const auto& of) { return of.param; });

TEST(WeightFunctionCounts, RefuseLevelsOfOtherWeights) {
  const std::vector<float> values = drawn(1, channels * size, 1);
  const WeightPlan plan{WeightQuantizer::post, 4, 0, {}};
  const QuantizedWeights of_others =
      quantize_weights(plan, drawn(2, channels * size / 2, 1), channels);
  EXPECT_THROW(fake_level_weights(plan, weight_tensor(values), torch::Tensor(), of_others),
               std::invalid_argument);
}

TEST(StraightThrough, PassesTheGradientToTheSurrogate) {
  torch::Tensor x = torch::tensor({1.0F, 2.0F}).requires_grad_(true);
  const torch::Tensor y = straight_through(x * 3, torch::tensor({7.0F, 0.1F}));
  EXPECT_TRUE(y.equal(torch::tensor({7.0F, 0.1F})));
  (y * torch::tensor({1.0F, -1.0F})).sum().backward();
  EXPECT_TRUE(x.grad().equal(torch::tensor({3.0F, -3.0F})));
}

// Stored tensors of three images, on a grid of 0.01, and steps of their own.
struct ReadCase {
  double scale = 0.01;
  IntegerRange range = {0, 3};
  torch::Tensor stored;
  Values steps = {0.2, 0.31, 0.05};
  std::vector<double> ratios;

  explicit ReadCase(bool channels_last) {
    std::mt19937 random(8);
    std::uniform_int_distribution<int> integers(0, 120);
    stored = torch::empty({3, 5, 4, 4});
    for (std::int64_t i = 0; i < stored.numel(); ++i) {
      stored.data_ptr<float>()[i] = static_cast<float>(integers(random) * scale);
    }
    if (channels_last) stored = stored.contiguous(at::MemoryFormat::ChannelsLast);
    for (const double step : steps) ratios.push_back(ratio(read_quantizer(scale / step)));
  }
};

TEST(FakeReadImages, EachImageIsReadWithItsOwnStep) {
  for (const bool channels_last : {false, true}) {
    for (const StepGradient gradient : {StepGradient::rounding, StepGradient::none}) {
      ReadCase c(channels_last);
      torch::Tensor together = c.stored.detach().clone();
      together.requires_grad_(true);
      torch::Tensor steps = torch::tensor(c.steps, torch::kFloat64).requires_grad_(true);
      const torch::Tensor upstream = torch::randn({3, 5, 4, 4});
      const torch::Tensor found =
          fake_read_images(together, c.scale, c.ratios, steps, c.range, gradient);
      (found * upstream).sum().backward();
      for (std::int64_t n = 0; n < 3; ++n) {
        torch::Tensor image = c.stored.narrow(0, n, 1).clone().requires_grad_(true);
        const double value = c.steps[static_cast<std::size_t>(n)];
        torch::Tensor step = torch::tensor({value}, torch::kFloat64).requires_grad_(true);
        const torch::Tensor expected =
            fake_read(image, c.scale, read_quantizer(c.scale / value), step, c.range);
        EXPECT_TRUE(found.narrow(0, n, 1).equal(expected));
        (expected * upstream.narrow(0, n, 1)).sum().backward();
        EXPECT_TRUE(together.grad().narrow(0, n, 1).equal(image.grad()));
        // PACT: only what lies beyond the range moves its end.
        const torch::Tensor beyond = image.detach().gt(value * c.range.highest);
        const double pact =
            (beyond * upstream.narrow(0, n, 1)).sum().item<double>() * c.range.highest;
        EXPECT_NEAR(steps.grad()[n].item<double>(),
                    gradient == StepGradient::none ? pact : step.grad().item<double>(), 1e-4);
      }
    }
  }
}

TEST(FakeReadImages, OneStepForAllAddsUpTheGradients) {
  const ReadCase c(false);
  torch::Tensor step = torch::tensor({0.2}, torch::kFloat64).requires_grad_(true);
  torch::Tensor same = torch::tensor({0.2, 0.2, 0.2}, torch::kFloat64).requires_grad_(true);
  const double ratio = c.ratios[0];
  const torch::Tensor one =
      fake_read_images(c.stored, c.scale, {ratio}, step, c.range, StepGradient::rounding);
  const torch::Tensor three = fake_read_images(c.stored, c.scale, {ratio, ratio, ratio}, same,
                                               c.range, StepGradient::rounding);
  EXPECT_TRUE(one.equal(three));
  one.square().sum().backward();
  three.square().sum().backward();
  EXPECT_NEAR(step.grad().item<double>(), same.grad().sum().item<double>(), 1e-6);
}

TEST(FakeReadImages, RefusesCountsAndStepsThatDoNotFit) {
  const ReadCase c(false);
  const auto read = [&](const Values& ratios, const Values& steps) {
    return fake_read_images(c.stored, c.scale, ratios, torch::tensor(steps, torch::kFloat64),
                            c.range, StepGradient::rounding);
  };
  EXPECT_THROW(read({1, 1}, {1, 1}), std::invalid_argument);
  EXPECT_THROW(read({1}, {1, 1, 1}), std::invalid_argument);
  EXPECT_THROW(read({1, 1, 1}, {1, 0, 1}), std::invalid_argument);
  EXPECT_THROW(read({1, 1, 1}, {1, std::nan(""), 1}), std::invalid_argument);
}

TEST(StepFactors, AreTheAdaptersAndAboutOneAtTheStart) {
  for (const int count : {1, 4, 7, 8, 16, 50}) {
    SCOPED_TRACE(count);
    AdapterParameters adapter = initial_adapter(count, 3);
    ASSERT_EQ(adapter.parameters.size(), adapter.parameter_count());
    EXPECT_EQ(adapter.hidden(), count < 8 ? 0 : count / 4);
    const torch::Tensor means = torch::rand({6, count}, torch::kFloat64);
    for (const bool drawn : {false, true}) {
      if (drawn) {
        std::mt19937 random(4);
        std::normal_distribution<double> values(0.1, 0.5);
        for (double& parameter : adapter.parameters) parameter = values(random);
      }
      const torch::Tensor found =
          step_factors(means, torch::tensor(adapter.parameters, torch::kFloat64));
      ASSERT_EQ(found.numel(), 6);
      for (std::int64_t n = 0; n < 6; ++n) {
        EXPECT_NEAR(found[n].item<double>(),
                    step_factor(adapter, means.data_ptr<double>() + n * count), 1e-9);
        if (!drawn) {
          EXPECT_NEAR(found[n].item<double>(), 1, 0.1);
        }
      }
    }
  }
}

// β by hand: W₁ of two rows of 8, b₁, w₂, b₂.
TEST(StepFactors, OfKnownParameters) {
  AdapterParameters adapter;
  adapter.channels = 8;
  adapter.parameters = {1, 0, 0, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 2, 0.5, 0, 0.5, 1, 0.25};
  const Values means = {1, 2, 0, 0, 0, 0, 0, 3};
  EXPECT_DOUBLE_EQ(step_factor(adapter, means.data()), 0.5 * 1.5 + 1 * 4 + 0.25);
  adapter.parameters.back() = 100;
  EXPECT_DOUBLE_EQ(step_factor(adapter, means.data()), AdapterParameters::largest);
  adapter.parameters.back() = -100;
  EXPECT_DOUBLE_EQ(step_factor(adapter, means.data()), AdapterParameters::smallest);
  adapter.parameters.pop_back();
  EXPECT_THROW(step_factor(adapter, means.data()), std::invalid_argument);
  EXPECT_THROW(initial_adapter(0, 1), std::invalid_argument);
}

TEST(StepFactors, GradientsReachTheParameters) {
  AdapterParameters adapter = initial_adapter(16, 9);
  std::mt19937 random(10);
  std::uniform_real_distribution<double> positive(0, 0.3);  // so that no ReLU is in the way
  for (double& parameter : adapter.parameters) parameter = positive(random);
  const torch::Tensor means = torch::rand({5, 16}, torch::kFloat64);
  torch::Tensor parameters =
      torch::tensor(adapter.parameters, torch::kFloat64).requires_grad_(true);
  const torch::Tensor upstream = torch::tensor({1.0, -2.0, 0.5, 3.0, 1.0}, torch::kFloat64);
  (step_factors(means, parameters) * upstream).sum().backward();
  const auto weighted = [&](const Values& values) {
    return (step_factors(means, torch::tensor(values, torch::kFloat64)) * upstream)
        .sum()
        .item<double>();
  };
  int moving = 0;
  for (std::size_t i = 0; i < adapter.parameters.size(); ++i) {
    Values above = adapter.parameters, below = adapter.parameters;
    above[i] += 1e-6;
    below[i] -= 1e-6;
    const double expected = (weighted(above) - weighted(below)) / 2e-6;
    EXPECT_NEAR(parameters.grad()[static_cast<std::int64_t>(i)].item<double>(), expected, 1e-6);
    moving += std::abs(expected) > 1e-4;
  }
  EXPECT_GT(moving, 50);
}

TEST(ActivationQuantizer, NamesAreReadBack) {
  for (const std::string& name : activation_quantizer_names()) {
    EXPECT_EQ(to_string(activation_quantizer_from_string(name)), name);
  }
  EXPECT_THROW(activation_quantizer_from_string("relu6"), std::invalid_argument);
  EXPECT_DOUBLE_EQ(lsq_start(0.75, 9), 0.5);
  EXPECT_EQ(lsq_start(0, 9), 1);
}

}  // namespace
}  // namespace abacus::quant
