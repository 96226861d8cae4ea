#include "sw/train/batch_norm.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <vector>

namespace abacus::train {
namespace {

struct Case {
  torch::Tensor input, residual, weight, bias, running_mean, running_variance, gradient;

  // Means many times the deviation, as of an adder's outputs.
  Case(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w, double mean) {
    input = torch::randn({n, c, h, w}) * torch::rand({1, c, 1, 1}).add(0.5) +
            mean * torch::randn({1, c, 1, 1});
    residual = torch::randn({n, c, h, w});
    weight = torch::randn({c});
    bias = torch::randn({c});
    running_mean = torch::randn({c});
    running_variance = torch::rand({c});
    gradient = torch::randn({n, c, h, w});
    for (torch::Tensor* tensor : {&input, &residual, &weight, &bias}) {
      tensor->requires_grad_(true);
    }
  }

  struct Result {
    torch::Tensor output, running_mean, running_variance;
    std::vector<torch::Tensor> gradients;
  };

  std::vector<torch::Tensor> leaves(bool add) const {
    std::vector<torch::Tensor> result = {input, weight, bias};
    if (add) result.push_back(residual);
    return result;
  }

  Result ours(bool add, bool relu, double momentum) const {
    const BatchNormParameters parameters = {
        weight, bias, running_mean.clone(), running_variance.clone(), momentum, 1e-5};
    const torch::Tensor y =
        batch_norm_in_training(input, parameters, add ? residual : torch::Tensor(), relu);
    return {y, parameters.running_mean, parameters.running_variance,
            torch::autograd::grad({y}, leaves(add), {gradient})};
  }

  // The same layer by layer, in double precision.
  Result expected(bool add, bool relu, double momentum) const {
    const torch::Tensor mean = running_mean.to(torch::kFloat64),
                        variance = running_variance.to(torch::kFloat64);
    torch::Tensor y =
        torch::batch_norm(input.to(torch::kFloat64), weight.to(torch::kFloat64),
                          bias.to(torch::kFloat64), mean, variance, true, momentum, 1e-5, false);
    if (add) y = y + residual;
    if (relu) y = torch::relu(y);
    return {y, mean, variance,
            torch::autograd::grad({y}, leaves(add), {gradient.to(torch::kFloat64)})};
  }
};

void expect_close(const torch::Tensor& found, const torch::Tensor& expected, double tolerance,
                  const char* what) {
  ASSERT_EQ(found.sizes(), expected.sizes()) << what;
  const double scale = 1 + expected.abs().max().item<double>();
  EXPECT_LT((found.to(torch::kFloat64) - expected).abs().max().item<double>(), tolerance * scale)
      << what;
}

TEST(BatchNorm, IsTorchsWithAdditionAndRelu) {
  torch::manual_seed(31);
  struct Sizes {
    std::int64_t n, c, h, w;
  };
  for (const Sizes& s : {Sizes{2, 1, 3, 5}, Sizes{3, 16, 8, 8}, Sizes{5, 7, 9, 4},
                         Sizes{40, 64, 7, 7}, Sizes{2, 300, 2, 3}, Sizes{9, 24, 31, 33}}) {
    for (const double mean : {0.0, 300.0}) {
      const Case example(s.n, s.c, s.h, s.w, mean);
      for (const bool add : {false, true}) {
        for (const bool relu : {false, true}) {
          SCOPED_TRACE(std::to_string(s.c) + " channels, mean " + std::to_string(mean) +
                       (add ? ", added" : "") + (relu ? ", relu" : ""));
          const Case::Result found = example.ours(add, relu, 0.3);
          const Case::Result expected = example.expected(add, relu, 0.3);
          // Inputs of this mean are themselves only 2^-24 of it exact.
          const double tolerance = 2e-5 + 1e-6 * mean;
          expect_close(found.output, expected.output, tolerance, "output");
          expect_close(found.running_mean, expected.running_mean, 1e-6, "running mean");
          expect_close(found.running_variance, expected.running_variance, 1e-5, "running variance");
          if (relu) {
            // Near 0 rounding decides what passes the ReLU; compare where it does not.
            const torch::Tensor sure = (expected.output == 0) | (expected.output > 1e-3);
            if (!sure.all().item<bool>()) continue;
          }
          const char* const names[] = {"input gradient", "weight gradient", "bias gradient",
                                       "residual gradient"};
          ASSERT_EQ(found.gradients.size(), expected.gradients.size());
          for (std::size_t i = 0; i < found.gradients.size(); ++i) {
            expect_close(found.gradients[i], expected.gradients[i], 10 * tolerance, names[i]);
          }
        }
      }
    }
  }
}

// The gradients behind a ReLU, with outputs that are far from 0.
TEST(BatchNorm, PassesGradientsWhereTheOutputIsPositive) {
  torch::manual_seed(32);
  Case example(6, 20, 5, 5, 10);
  {
    torch::NoGradGuard no_gradient;
    // Two values a channel: normalised to about ±1.
    example.input.copy_(torch::randint(2, example.input.sizes()) * 2.0 - 1.0);
    example.weight.fill_(1.0);
    example.bias.copy_(torch::randint(2, example.bias.sizes()) * 4.0 - 2.0);
    example.residual.copy_(torch::randint(2, example.residual.sizes()) * 10.0 - 5.0);
  }
  for (const bool add : {false, true}) {
    const Case::Result found = example.ours(add, true, 0.1);
    const Case::Result expected = example.expected(add, true, 0.1);
    EXPECT_GT((expected.output > 0).sum().item<std::int64_t>(), 100);
    EXPECT_GT((expected.output == 0).sum().item<std::int64_t>(), 100);
    for (std::size_t i = 0; i < found.gradients.size(); ++i) {
      expect_close(found.gradients[i], expected.gradients[i], 2e-5, "gradient");
    }
  }
}

TEST(BatchNorm, DoesNotDependOnTheThreads) {
  torch::manual_seed(33);
  const Case example(30, 12, 17, 17, 50);
  const int before = omp_get_max_threads();
  const auto run = [&](int threads) {
    omp_set_num_threads(threads);
    return example.ours(true, true, 0.1);
  };
  const Case::Result one = run(1), three = run(3);
  omp_set_num_threads(before);
  EXPECT_TRUE(torch::equal(one.output, three.output));
  EXPECT_TRUE(torch::equal(one.running_variance, three.running_variance));
  for (std::size_t i = 0; i < one.gradients.size(); ++i) {
    EXPECT_TRUE(torch::equal(one.gradients[i], three.gradients[i])) << i;
  }
}

TEST(BatchNorm, RefusesWhatItCannotNormalize) {
  const auto parameters = [](std::int64_t c) {
    return BatchNormParameters{
        torch::ones({c}), torch::zeros({c}), torch::zeros({c}), torch::ones({c}), 0.1, 1e-5};
  };
  EXPECT_THROW(batch_norm_in_training(torch::zeros({1, 3, 1, 1}), parameters(3), {}, false),
               c10::Error);
  EXPECT_THROW(batch_norm_in_training(torch::zeros({2, 3, 2, 2}), parameters(4), {}, false),
               c10::Error);
  EXPECT_THROW(batch_norm_in_training(torch::zeros({2, 3, 2, 2}), parameters(3),
                                      torch::zeros({2, 3, 2, 1}), false),
               c10::Error);
}

}  // namespace
}  // namespace abacus::train
