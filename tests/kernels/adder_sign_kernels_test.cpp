#include "sw/kernels/adder_sign_kernels.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <random>
#include <vector>

namespace abacus::kernels {
namespace {

struct Case {
  AdderShape shape;
  std::vector<std::uint8_t> input;   // N×C×H×W
  std::vector<std::int32_t> weight;  // O×I×k×k
  std::vector<float> gradient;       // N×O×H'×W'

  // Operands of `bits` bits, so that many are equal; some weights beyond them on either side.
  Case(std::mt19937& random, int bits) {
    const auto draw = [&](int low, int high) {
      return std::uniform_int_distribution<int>(low, high)(random);
    };
    const int kernels[] = {1, 3, 3, 3, 2, 5};
    shape.batch = draw(1, 40);
    shape.input_channels = draw(1, 9);
    shape.output_channels = draw(1, 20);
    shape.kernel = kernels[draw(0, 5)];
    shape.stride = draw(1, 3);
    shape.padding = draw(0, shape.kernel - 1);
    const int smallest = std::max(1, shape.kernel - 2 * shape.padding);
    shape.input_height = draw(smallest, 9);
    shape.input_width = draw(smallest, 33);
    const int top = (1 << bits) - 1;
    input.resize(static_cast<std::size_t>(shape.batch) * shape.input_channels * shape.input_height *
                 shape.input_width);
    for (std::uint8_t& x : input) x = static_cast<std::uint8_t>(draw(0, top));
    weight.resize(static_cast<std::size_t>(shape.output_channels) * shape.input_channels *
                  shape.kernel * shape.kernel);
    for (std::int32_t& w : weight) w = draw(-2, top + 2);
    gradient.resize(static_cast<std::size_t>(shape.batch) * shape.output_channels *
                    shape.output_height() * shape.output_width());
    std::normal_distribution<float> normal;
    for (float& dy : gradient) dy = normal(random);
  }

  std::vector<float> result(GridPath path) const {
    std::vector<float> dw(weight.size(), NAN);
    adder_sign_weight_gradient(shape, input.data(), weight.data(), gradient.data(), dw.data(),
                               path);
    return dw;
  }
};

// Σ sign(X − W) · dY as written, one tap at a time; `terms` gets Σ |dY| of each.
std::vector<double> by_definition(const Case& c, std::vector<double>& terms) {
  const AdderShape& s = c.shape;
  std::vector<double> dw(c.weight.size(), 0.0);
  terms.assign(c.weight.size(), 0.0);
  std::size_t at = 0;
  for (std::int64_t n = 0; n < s.batch; ++n) {
    for (int o = 0; o < s.output_channels; ++o) {
      for (int oy = 0; oy < s.output_height(); ++oy) {
        for (int ox = 0; ox < s.output_width(); ++ox, ++at) {
          for (int i = 0; i < s.input_channels; ++i) {
            for (int ky = 0; ky < s.kernel; ++ky) {
              for (int kx = 0; kx < s.kernel; ++kx) {
                const int y = oy * s.stride + ky - s.padding, x = ox * s.stride + kx - s.padding;
                int operand = 0;
                if (y >= 0 && y < s.input_height && x >= 0 && x < s.input_width) {
                  operand = c.input[static_cast<std::size_t>(
                      ((n * s.input_channels + i) * s.input_height + y) * s.input_width + x)];
                }
                const std::size_t w = static_cast<std::size_t>(
                    ((o * s.input_channels + i) * s.kernel + ky) * s.kernel + kx);
                const double dy = static_cast<double>(c.gradient[at]);
                dw[w] += operand > c.weight[w] ? dy : operand < c.weight[w] ? -dy : 0;
                terms[w] += std::fabs(dy);
              }
            }
          }
        }
      }
    }
  }
  return dw;
}

TEST(AdderSignKernels, GiveTheDefinitionOnRandomShapesOnEveryPath) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 60; ++trial) {
    const Case c(random, 1 + trial % 8);
    std::vector<double> terms;
    const std::vector<double> expected = by_definition(c, terms);
    for (const GridPath path : {GridPath::fastest, GridPath::portable}) {
      const std::vector<float> found = c.result(path);
      for (std::size_t i = 0; i < found.size(); ++i) {
        // 16 bits of the largest gradient, float sums.
        ASSERT_NEAR(static_cast<double>(found[i]), expected[i], 2e-4 * terms[i] + 1e-6)
            << "trial " << trial << ", weight " << c.weight[i];
      }
    }
  }
}

TEST(AdderSignKernels, DoNotDependOnTheThreads) {
  std::mt19937 random(4);
  Case c(random, 4);
  // More images than are summed together.
  c.shape = AdderShape{};
  c.shape.batch = 40;
  c.shape.input_channels = c.shape.output_channels = 3;
  c.shape.input_height = c.shape.input_width = 12;
  c.shape.kernel = 3;
  c.shape.padding = 1;
  c.input.resize(40 * 3 * 144);
  c.weight.resize(81);
  c.gradient.resize(40 * 3 * 144);
  std::normal_distribution<float> normal;
  for (float& dy : c.gradient) dy = normal(random);
  for (std::uint8_t& x : c.input) x = static_cast<std::uint8_t>(random() % 16);
  for (std::int32_t& w : c.weight) w = static_cast<std::int32_t>(random() % 16);
  omp_set_num_threads(1);
  const std::vector<float> one = c.result(GridPath::fastest);
  omp_set_num_threads(3);
  EXPECT_EQ(c.result(GridPath::fastest), one);
}

// Integer gradients are summed without any rounding, and a batch of many images as one by one.
TEST(AdderSignKernels, AreExactOnWholeNumbers) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 20; ++trial) {
    Case c(random, 4);
    std::uniform_int_distribution<int> whole(-127, 127);
    for (float& dy : c.gradient) dy = static_cast<float>(whole(random));
    std::vector<double> terms;
    const std::vector<double> expected = by_definition(c, terms);
    const std::vector<float> found = c.result(GridPath::portable);
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(static_cast<double>(found[i]), expected[i]);
    }
  }
}

}  // namespace
}  // namespace abacus::kernels
