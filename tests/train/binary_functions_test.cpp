#include "sw/train/binary_functions.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <tuple>
#include <vector>

namespace abacus::train {
namespace {

double sign(double value) { return value < 0 ? -1 : 1; }

float at(const torch::Tensor& tensor, int n, int c, int y, int x) {
  return tensor.index({n, c, y, x}).to(torch::kFloat32).item<float>();
}

torch::Tensor random_tensor(std::vector<std::int64_t> shape, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  return torch::empty(shape).normal_(0.0, 0.8, generator);
}

// Zeros of either sign, values at the limits of the gradient, beyond them.
torch::Tensor special_values() {
  return torch::tensor({0.0F, -0.0F, 0.25F, -0.25F, 1.0F, -1.0F, 1.5F, -1.5F}).view({1, 2, 2, 2});
}

class PaddedSign : public ::testing::TestWithParam<at::ScalarType> {};

TEST_P(PaddedSign, IsTheSignWithMinusOneAroundIt) {
  for (const int padding : {0, 1, 2}) {
    const torch::Tensor input = random_tensor({3, 5, 4, 7}, 3).to(GetParam());
    const torch::Tensor output = padded_sign(input, padding);
    ASSERT_EQ(output.sizes(), (torch::IntArrayRef{3, 5, 4 + 2 * padding, 7 + 2 * padding}));
    ASSERT_EQ(output.scalar_type(), GetParam());
    for (int n = 0; n < 3; ++n) {
      for (int c = 0; c < 5; ++c) {
        for (int y = -padding; y < 4 + padding; ++y) {
          for (int x = -padding; x < 7 + padding; ++x) {
            const bool inside = y >= 0 && y < 4 && x >= 0 && x < 7;
            const double wanted = inside ? sign(static_cast<double>(at(input, n, c, y, x))) : -1;
            ASSERT_EQ(at(output, n, c, y + padding, x + padding), wanted)
                << n << ' ' << c << ' ' << y << ' ' << x;
          }
        }
      }
    }
  }
}

TEST_P(PaddedSign, ZeroIsPositive) {
  const torch::Tensor output = padded_sign(special_values().to(GetParam()), 0);
  const std::vector<float> wanted{1, 1, 1, -1, 1, -1, 1, -1};
  for (int i = 0; i < 8; ++i) EXPECT_EQ(at(output, 0, i / 4, i / 2 % 2, i % 2), wanted[i]) << i;
}

// 2 − 2|x| up to |x| = 1, by hand.
TEST_P(PaddedSign, HasThePolynomialsSlope) {
  torch::Tensor input = special_values().to(GetParam()).requires_grad_(true);
  padded_sign(input, 1).backward(torch::full({1, 2, 4, 4}, 3.0F).to(GetParam()));
  const std::vector<float> wanted{6, 6, 4.5, 4.5, 0, 0, 0, 0};
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(at(input.grad(), 0, i / 4, i / 2 % 2, i % 2), wanted[i]) << i;
  }
}

TEST_P(PaddedSign, GradientsComeFromTheirOwnPlaces) {
  torch::Tensor input = random_tensor({2, 3, 5, 4}, 5).to(GetParam()).requires_grad_(true);
  const torch::Tensor gradient = random_tensor({2, 3, 7, 6}, 6).to(GetParam());
  padded_sign(input, 1).backward(gradient);
  for (int n = 0; n < 2; ++n) {
    for (int c = 0; c < 3; ++c) {
      for (int y = 0; y < 5; ++y) {
        for (int x = 0; x < 4; ++x) {
          const double v = std::abs(static_cast<double>(at(input, n, c, y, x)));
          const double wanted =
              static_cast<double>(at(gradient, n, c, y + 1, x + 1)) * std::max(0.0, 2 - 2 * v);
          ASSERT_NEAR(at(input.grad(), n, c, y, x), wanted, 0.01 * std::abs(wanted) + 1e-6);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, PaddedSign, ::testing::Values(torch::kFloat32, torch::kBFloat16));

TEST(PaddedSign, RefusesOtherTensors) {
  EXPECT_THROW(padded_sign(torch::zeros({3, 4, 4}), 1), c10::Error);
  EXPECT_THROW(padded_sign(torch::zeros({1, 3, 4, 4}, torch::kFloat64), 1), c10::Error);
  EXPECT_THROW(padded_sign(torch::zeros({1, 3, 4, 4}), -1), c10::Error);
}

TEST(BinaryWeight, HasTheSignsAndTheMeanMagnitudeOfEachChannel) {
  torch::Tensor weight = torch::tensor({0.5F, -0.1F, 0.0F, -0.2F, 2.0F, -3.0F, 1.0F, -2.0F})
                             .view({2, 1, 2, 2})
                             .requires_grad_(true);
  const torch::Tensor binary = binary_weight(weight);
  const torch::Tensor wanted =
      torch::tensor({0.2F, -0.2F, 0.2F, -0.2F, 2.0F, -2.0F, 2.0F, -2.0F}).view({2, 1, 2, 2});
  EXPECT_TRUE(torch::allclose(binary, wanted));
  binary.backward(torch::full_like(binary, 7.0F));
  const torch::Tensor gradient =
      torch::tensor({7.0F, 7.0F, 7.0F, 7.0F, 0.0F, 0.0F, 7.0F, 0.0F}).view({2, 1, 2, 2});
  EXPECT_TRUE(torch::equal(weight.grad(), gradient));
  EXPECT_THROW(binary_weight(torch::zeros({3, 3})), c10::Error);
}

// Σ of products of signs over the window, −1 outside the input, by plain loops.
TEST(BinaryConvolution, SumsProductsOfSignsOnRandomShapes) {
  std::mt19937 random(2);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int i = 0; i < 30; ++i) {
    const int in = pick(1, 9), out = pick(1, 5), kernel = 1 + 2 * pick(0, 1), stride = pick(1, 2);
    const int side = pick(3, 8), padding = pick(0, kernel / 2);
    const torch::Tensor x = random_tensor({2, in, side, side}, 100 + static_cast<unsigned>(i));
    const torch::Tensor w = random_tensor({out, in, kernel, kernel}, 7 + static_cast<unsigned>(i));
    const torch::Tensor y = binary_conv2d(x, w, stride, padding);
    const int size = (side + 2 * padding - kernel) / stride + 1;
    ASSERT_EQ(y.sizes(), (torch::IntArrayRef{2, out, size, size}));
    const int o = pick(0, out - 1), oy = pick(0, size - 1), ox = pick(0, size - 1);
    int sum = 0;
    for (int c = 0; c < in; ++c) {
      for (int ky = 0; ky < kernel; ++ky) {
        for (int kx = 0; kx < kernel; ++kx) {
          const int iy = oy * stride + ky - padding, ix = ox * stride + kx - padding;
          const bool inside = iy >= 0 && iy < side && ix >= 0 && ix < side;
          const double a = inside ? sign(static_cast<double>(at(x, 1, c, iy, ix))) : -1;
          sum += static_cast<int>(a * sign(static_cast<double>(at(w, o, c, ky, kx))));
        }
      }
    }
    const double scale = w[o].abs().mean().item<double>();
    EXPECT_NEAR(at(y, 1, o, oy, ox), scale * sum, 1e-4) << i;
  }
}

TEST(PaddedSign, OperationsOnTensorsGiveTheKernelsValues) {
  torch::manual_seed(11);
  for (const int padding : {0, 1, 2}) {
    torch::Tensor input = torch::randn({3, 5, 6, 4});
    input[0][0][0][0] = 0;
    input[0][0][0][1] = -0.0F;
    input.requires_grad_();
    const torch::Tensor output = padded_sign(input, padding);
    const torch::Tensor gradient = torch::randn(output.sizes());
    output.backward(gradient);
    const torch::Tensor values = input.detach();
    EXPECT_TRUE(torch::equal(padded_sign_of_tensors(values, padding), output.detach()));
    EXPECT_TRUE(torch::allclose(padded_sign_gradient_of_tensors(values, gradient, padding),
                                input.grad(), 1e-6, 1e-7));
  }
}

}  // namespace
}  // namespace abacus::train
