// Values and gradients of fake quantization against their definitions, element by element.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "sw/kernels/cuda/adder_cuda.hpp"
#include "sw/quant/fake/fake_quantization.hpp"
#include "sw/quant/plan/fixed_point.hpp"

namespace abacus::quant {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double rounded(double value) { return std::floor(value + 0.5); }

torch::Tensor random_tensor(std::mt19937& random, std::vector<std::int64_t> shape, double low,
                            double high) {
  torch::Tensor tensor = torch::empty(shape, torch::kFloat32);
  std::uniform_real_distribution<float> values(static_cast<float>(low), static_cast<float>(high));
  for (std::int64_t i = 0; i < tensor.numel(); ++i) tensor.data_ptr<float>()[i] = values(random);
  return tensor;
}

torch::Tensor scalar(double value) { return torch::tensor({value}, torch::kFloat64); }

TEST(FakeQuantize, RoundsToTheNearestLevelAndSaturates) {
  const torch::Tensor x = torch::tensor({-9.0F, -1.3F, -0.5F, 0.24F, 0.25F, 0.9F, 1.75F, 50.0F});
  const torch::Tensor found = fake_quantize(x, 0.5, {-2, 3});
  const torch::Tensor expected = torch::tensor({-1.0F, -1.0F, -0.5F, 0.0F, 0.5F, 1.0F, 1.5F, 1.5F});
  EXPECT_TRUE(found.equal(expected)) << found;
}

TEST(FakeQuantize, TakesValuesThatNoIntegerHolds) {
  const float huge = std::numeric_limits<float>::max();
  const torch::Tensor found = fake_quantize(torch::tensor({-huge, huge}), 0.001, {0, 255});
  EXPECT_EQ(found[0].item<float>(), 0.0F);
  EXPECT_EQ(found[1].item<float>(), 255 * 0.001F);
}

TEST(FakeQuantize, GradientPassesWithinTheRangeAlone) {
  torch::Tensor x = torch::tensor({-1.01F, -0.99F, 0.3F, 1.49F, 1.51F, 7.0F});
  x.requires_grad_(true);
  const torch::Tensor weights = torch::tensor({2.0F, 3.0F, 4.0F, 5.0F, 6.0F, 7.0F});
  (fake_quantize(x, 0.5, {-2, 3}) * weights).sum().backward();
  EXPECT_TRUE(x.grad().equal(torch::tensor({0.0F, 3.0F, 4.0F, 5.0F, 0.0F, 0.0F}))) << x.grad();
}

TEST(FakeQuantize, KeepsOrderAndGradientsOfAnyLayout) {
  std::mt19937 random(3);
  torch::Tensor x = random_tensor(random, {3, 5, 7, 6}, -1, 1)
                        .contiguous(at::MemoryFormat::ChannelsLast)
                        .requires_grad_(true);
  const torch::Tensor weights = random_tensor(random, {3, 5, 7, 6}, -1, 1);  // another layout
  const torch::Tensor y = fake_quantize(x, 0.125, {-4, 3});
  (y * weights).sum().backward();
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const double value = x.detach().reshape({-1})[i].item<double>();
    const double level = std::clamp(rounded(value / 0.125), -4.0, 3.0);
    EXPECT_EQ(y.detach().reshape({-1})[i].item<double>(), level * 0.125);
    const bool inside = value >= -0.5 && value <= 0.375;
    EXPECT_EQ(x.grad().reshape({-1})[i].item<double>(),
              inside ? weights.reshape({-1})[i].item<double>() : 0.0);
  }
}

TEST(FakeQuantize, AGpuGivesTheSameBits) {
  if (!kernels::built_with_cuda() || !at::globalContext().hasCUDA()) GTEST_SKIP() << "no GPU here";
  torch::manual_seed(4);
  const torch::Tensor values = torch::randn({5, 7, 6, 3}) * 3,
                      gradient = torch::randn({5, 7, 6, 3});
  std::vector<torch::Tensor> results;
  for (const torch::Device device : {torch::Device(torch::kCPU), torch::Device(torch::kCUDA)}) {
    const torch::Tensor x = values.to(device).requires_grad_();
    const torch::Tensor stored = fake_quantize(x, 0.0371, {0, 15});
    const torch::Tensor read = fake_read(stored, 0.0371, read_quantizer(0.0371 / 0.09),
                                         torch::tensor({0.09}, torch::kFloat64), {0, 3});
    (read * gradient.to(device)).sum().backward();
    results.push_back(read.detach().to(torch::kCPU));
    results.push_back(x.grad().to(torch::kCPU));
  }
  EXPECT_TRUE(torch::equal(results[0], results[2]));
  EXPECT_TRUE(torch::equal(results[1], results[3]));
}

TEST(FakeQuantize, RefusesGridsThatAreNone) {
  const torch::Tensor x = torch::ones({2});
  for (const double step : {0.0, -1.0, kInfinity, std::nan("")}) {
    EXPECT_THROW(fake_quantize(x, step, {0, 3}), std::invalid_argument) << step;
    EXPECT_THROW(fake_read(x, 1, {}, scalar(step), {0, 3}), std::invalid_argument) << step;
  }
  EXPECT_THROW(fake_quantize(x, 1, {3, 3}), std::invalid_argument);
  EXPECT_THROW(fake_read(x, 0, {}, scalar(1), {0, 3}), std::invalid_argument);
}

// Integer arithmetic of docs/arithmetic.md.
int read_quantized(int stored, const network::ReadQuantizer& quantizer, IntegerRange range) {
  const std::int64_t product = std::int64_t{stored} * quantizer.multiplier;
  const std::int64_t value =
      quantizer.shift == 0
          ? product
          : (product + (std::int64_t{1} << (quantizer.shift - 1))) >> quantizer.shift;
  return static_cast<int>(std::clamp<std::int64_t>(value, range.lowest, range.highest));
}

TEST(FakeRead, GivesTheReadQuantizersIntegers) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 40; ++trial) {
    const double stored_scale = std::uniform_real_distribution<double>(0.003, 0.2)(random);
    // Ratios of 1/2 and 1/4 too, whose products lie on the border between two operands.
    const double factor = trial % 3 == 0   ? 2
                          : trial % 3 == 1 ? 4
                                           : std::uniform_real_distribution<double>(1, 20)(random);
    const double step = stored_scale * factor;
    const bool is_signed = trial % 2 == 0;
    const IntegerRange range = is_signed ? IntegerRange{-8, 7} : IntegerRange{0, 15};
    const network::ReadQuantizer quantizer = read_quantizer(stored_scale / step);
    torch::Tensor stored = torch::empty({256});
    for (int v = 0; v < 256; ++v) {
      stored[v] = static_cast<float>((is_signed ? v - 128 : v) * stored_scale);
    }
    const torch::Tensor operands =
        fake_read(stored, stored_scale, quantizer, scalar(step), range) / step;
    for (int v = 0; v < 256; ++v) {
      const int expected = read_quantized(is_signed ? v - 128 : v, quantizer, range);
      ASSERT_NEAR(operands[v].item<double>(), expected, 1e-4) << "stored " << v;
    }
  }
}

// LSQ's derivation: with the rounding's residue δ held fixed, x̂ = step·(x/step + δ) within the
// range, step·end beyond it. Its numerical derivative is what the gradient has to be.
TEST(FakeRead, StepGradientIsTheDerivativeWithFixedRoundingResidue) {
  std::mt19937 random(7);
  const double stored_scale = 0.01, step = 0.37;
  const IntegerRange range{0, 3};
  torch::Tensor x =
      (random_tensor(random, {4, 3, 5, 5}, 0, 1.8) / stored_scale).round() * stored_scale;
  const torch::Tensor weights = random_tensor(random, {4, 3, 5, 5}, -1, 1);
  torch::Tensor learned = scalar(step).requires_grad_(true);
  (fake_read(x, stored_scale, read_quantizer(stored_scale / step), learned, range) * weights)
      .sum()
      .backward();
  const auto surrogate = [&](double at) {
    double sum = 0;
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      const double value = x.reshape({-1})[i].item<double>();
      const double v = value / step;
      const double operand = read_quantized(static_cast<int>(std::lround(value / stored_scale)),
                                            read_quantizer(stored_scale / step), range);
      const bool inside = v >= range.lowest && v <= range.highest;
      sum += weights.reshape({-1})[i].item<double>() *
             (inside ? at * (value / at + (operand - v)) : at * operand);
    }
    return sum;
  };
  const double difference = 1e-4;
  const double expected =
      (surrogate(step + difference) - surrogate(step - difference)) / (2 * difference);
  EXPECT_GT(std::abs(expected), 1e-2);
  EXPECT_NEAR(learned.grad().item<double>(), expected, 1e-3);
}

TEST(FakeRead, GradientsDoNotDependOnTheNumberOfThreads) {
  std::mt19937 random(9);
  torch::Tensor x = (random_tensor(random, {8, 16, 32, 32}, 0, 2) / 0.01).round() * 0.01;
  const torch::Tensor weights = random_tensor(random, {8, 16, 32, 32}, -1, 1);
  const auto gradient = [&](int threads) {
    torch::set_num_threads(threads);
    torch::Tensor learned = scalar(0.3).requires_grad_(true);
    (fake_read(x, 0.01, read_quantizer(0.01 / 0.3), learned, {0, 3}) * weights).sum().backward();
    return learned.grad().item<double>();
  };
  const double one = gradient(1);
  EXPECT_EQ(gradient(3), one);
  torch::set_num_threads(1);
}

TEST(FakeRead, InBfloat16IsTheSameRounded) {
  std::mt19937 random(13);
  for (const std::int64_t size : {1, 15, 16, 17, 100}) {  // whole vectors and parts of one
    for (const StepGradient gradient : {StepGradient::rounding, StepGradient::none}) {
      SCOPED_TRACE(size);
      const torch::Tensor values = (random_tensor(random, {3, size}, -1, 2) / 0.01).round() * 0.01;
      // Of bfloat16's precision, so that both gradients are the same.
      const torch::Tensor upstream =
          random_tensor(random, {3, size}, -1, 1).to(torch::kBFloat16).to(torch::kFloat32);
      std::vector<torch::Tensor> outputs, of_input, of_step;
      for (const torch::ScalarType type : {torch::kFloat32, torch::kBFloat16}) {
        torch::Tensor x = values.clone().requires_grad_(true);
        torch::Tensor step = scalar(0.0371).requires_grad_(true);
        outputs.push_back(fake_read_images(x, 0.01, {ratio(read_quantizer(0.01 / 0.0371))}, step,
                                           {0, 31}, gradient, type));
        outputs.back().backward(upstream.to(type));
        of_input.push_back(x.grad());
        of_step.push_back(step.grad());
      }
      EXPECT_EQ(outputs[1].scalar_type(), torch::kBFloat16);
      EXPECT_TRUE(outputs[1].equal(outputs[0].to(torch::kBFloat16)));
      EXPECT_FALSE(size > 16 && outputs[1].to(torch::kFloat32).equal(outputs[0]));
      EXPECT_TRUE(of_input[1].equal(of_input[0]));
      EXPECT_TRUE(of_step[1].equal(of_step[0]));
    }
  }
}

TEST(ChannelSums, AreThoseOfTheIntegers) {
  std::mt19937 random(14);
  const double scale = 0.0137;
  for (const auto& [channels, rows] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {1, 5}, {3, 4}, {16, 6}, {37, 3}, {2, 300}}) {
    for (const bool is_signed : {false, true}) {
      SCOPED_TRACE(channels);
      torch::Tensor integers = torch::empty({2, channels, rows, rows});
      std::uniform_int_distribution<int> values(is_signed ? -32768 : 65000,
                                                is_signed ? 32767 : 65535);
      for (std::int64_t i = 0; i < integers.numel(); ++i) {
        integers.data_ptr<float>()[i] = static_cast<float>(values(random));
      }
      const torch::Tensor expected =
          integers.to(torch::kInt64).sum(at::IntArrayRef({2, 3})).contiguous();
      const torch::Tensor stored = integers * scale;
      EXPECT_TRUE(channel_sums(stored, scale).equal(expected));
      EXPECT_TRUE(
          channel_sums(stored.contiguous(at::MemoryFormat::ChannelsLast), scale).equal(expected));
    }
  }
  EXPECT_THROW(channel_sums(torch::ones({2, 3}), 1), c10::Error);
  EXPECT_THROW(channel_sums(torch::ones({2, 3, 4, 4}), 0), c10::Error);
}

TEST(ChannelMeans, GradientIsTheMeans) {
  std::mt19937 random(15);
  const double scale = 0.25;
  const torch::Tensor integers = random_tensor(random, {3, 5, 4, 2}, 0, 255).round();
  const torch::Tensor upstream = random_tensor(random, {3, 5}, -1, 1).to(torch::kFloat64);
  torch::Tensor stored = (integers * scale).requires_grad_(true);
  torch::Tensor same = stored.detach().clone().requires_grad_(true);
  const torch::Tensor found = channel_means(stored, scale, channel_sums(stored, scale));
  const torch::Tensor expected = same.to(torch::kFloat64).mean(at::IntArrayRef({2, 3}));
  EXPECT_TRUE(found.allclose(expected, 1e-12));
  (found * upstream).sum().backward();
  (expected * upstream).sum().backward();
  EXPECT_TRUE(stored.grad().allclose(same.grad(), 1e-6));
  EXPECT_THROW(channel_means(stored, scale, torch::ones({3, 4})), c10::Error);
}

TEST(FakeWeights, AreTheLevelsTimesTheirChannelsSteps) {
  const torch::Tensor weights = torch::zeros({2, 1, 1, 2});
  const torch::Tensor found =
      fake_weights(weights, {1, -2, 3, 0}, torch::tensor({0.5, 0.25}, torch::kFloat64), {-2, 3},
                   BeyondRange::clipped);
  EXPECT_TRUE(found.reshape({-1}).equal(torch::tensor({0.5F, -1.0F, 0.75F, 0.0F}))) << found;
}

TEST(FakeWeights, GradientsWithinAndBeyondTheRange) {
  // In steps of 0.5: -3.2 (beyond), 0.6, 2.4, 3.6 (beyond).
  const std::vector<float> values = {-1.6F, 0.3F, 1.2F, 1.8F};
  const std::vector<std::int16_t> levels = {-2, 1, 2, 3};
  const torch::Tensor upstream = torch::tensor({1.0F, 2.0F, 3.0F, 4.0F}).view({1, 1, 1, 4});
  for (const BeyondRange beyond :
       {BeyondRange::clipped, BeyondRange::offset, BeyondRange::lossless}) {
    torch::Tensor weights = torch::tensor(values).view({1, 1, 1, 4}).requires_grad_(true);
    torch::Tensor step = scalar(0.5).requires_grad_(true);
    (fake_weights(weights, levels, step, {-2, 3}, beyond) * upstream).sum().backward();
    const bool clipped = beyond == BeyondRange::clipped;
    const torch::Tensor expected = beyond == BeyondRange::offset
                                       ? torch::tensor({1.0F, 2.0F, 3.0F, 4.0F})
                                       : torch::tensor({0.0F, 2.0F, 3.0F, 0.0F});
    EXPECT_TRUE(weights.grad().reshape({-1}).equal(expected)) << weights.grad();
    // round(v) − v within; the range's end beyond, or nothing where an offset makes up for it.
    const double inside = 2 * (1 - 0.6) + 3 * (2 - 2.4);
    EXPECT_NEAR(step.grad().item<double>(), inside + (clipped ? 1 * -2 + 4 * 3 : 0), 1e-5);
  }
}

TEST(FakeWeights, RefusesCountsThatDoNotFit) {
  const torch::Tensor weights = torch::zeros({2, 1, 1, 2});
  EXPECT_THROW(fake_weights(weights, {1, 2, 3}, torch::ones({2}, torch::kFloat64), {-2, 3},
                            BeyondRange::clipped),
               std::invalid_argument);
  EXPECT_THROW(fake_weights(weights, {1, 2, 3, 0}, scalar(1), {-2, 3}, BeyondRange::clipped),
               std::invalid_argument);
}

}  // namespace
}  // namespace abacus::quant
