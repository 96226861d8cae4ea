#include "sw/kernels/adder_grid_kernels.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <ostream>
#include <random>
#include <stdexcept>
#include <vector>

#include "tests/kernels/adder_reference.hpp"

namespace abacus::kernels {

namespace {

using test::adder_reference;
using test::AdderResult;
using test::random_normal;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Kernels 1 and 3 (now and then others), strides 1 to 3, odd channel counts, sides 1 to 33.
AdderShape random_shape(std::mt19937& random) {
  const auto draw = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  AdderShape s;
  s.batch = draw(1, 5);
  s.input_channels = draw(1, 40);
  s.output_channels = draw(1, 70);
  const int kernels[] = {1, 3, 3, 3, 2, 5};
  s.kernel = kernels[draw(0, 5)];
  s.stride = draw(1, 3);
  s.padding = draw(0, s.kernel - 1);
  const int smallest = std::max(1, s.kernel - 2 * s.padding);
  s.input_height = draw(smallest, 9);
  s.input_width = draw(smallest, 33);
  return s;
}

struct Case {
  AdderShape shape;
  float unit;
  std::vector<std::uint8_t> input;
  std::vector<std::int32_t> weight;
  std::vector<float> gradient;
  // Filled with NaN, so that an element left out is seen.
  std::vector<float> output, input_gradient, weight_gradient;

  // Weights to both sides of the byte's range.
  Case(const AdderShape& s, float grid_unit, std::mt19937& random)
      : shape(s),
        unit(grid_unit),
        input(test::input_elements(s)),
        weight(test::weight_elements(s)),
        gradient(test::random_normal(test::output_elements(s), random)) {
    std::uniform_int_distribution<int> byte(0, 255), wide(-300, 600);
    for (std::uint8_t& x : input) x = static_cast<std::uint8_t>(byte(random));
    for (std::int32_t& w : weight) w = wide(random);
    clear();
  }
  void clear() {
    output.assign(gradient.size(), kNaN);
    input_gradient.assign(input.size(), kNaN);
    weight_gradient.assign(weight.size(), kNaN);
  }
  void forward(GridPath path) {
    adder_grid_forward(shape, input.data(), weight.data(), unit, output.data(), path);
  }
  void backward(GridPath path) {
    adder_grid_input_gradient(shape, input.data(), weight.data(), unit, gradient.data(),
                              input_gradient.data(), path);
  }
  void backward_weight() {
    adder_grid_weight_gradient(shape, input.data(), weight.data(), unit, gradient.data(),
                               weight_gradient.data());
  }
  // With real-valued operands, in double precision.
  AdderResult expected() const {
    std::vector<float> x(input.size()), w(weight.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = unit * static_cast<float>(input[i]);
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = unit * static_cast<float>(weight[i]);
    return test::adder_reference(shape, x, w, gradient);
  }
};

// Every output as the exact integer, rounded to float once and multiplied once.
void expect_exact_forward(Case& example, GridPath path) {
  const AdderResult expected = example.expected();
  example.forward(path);
  for (std::size_t i = 0; i < example.output.size(); ++i) {
    const double units = std::round(expected.output[i] / example.unit);
    ASSERT_EQ(example.output[i], static_cast<float>(units) * example.unit) << "output " << i;
  }
}

TEST(AdderGridKernels, AreExactOnRandomShapesOnEveryPath) {
  std::mt19937 random(21);
  for (int i = 0; i < 40; ++i) {
    // A power of two: the reference's operands then are the very multiples.
    Case example(random_shape(random), 1.0F / 32, random);
    SCOPED_TRACE(::testing::PrintToString(example.shape));
    expect_exact_forward(example, GridPath::fastest);
    const std::vector<float> fastest = example.output;
    example.clear();
    expect_exact_forward(example, GridPath::portable);
    ASSERT_EQ(0,
              std::memcmp(fastest.data(), example.output.data(), fastest.size() * sizeof(float)));
  }
}

TEST(AdderGridKernels, GiveTheSameBitsOnEveryPathForAnyUnit) {
  std::mt19937 random(22);
  for (const float unit : {0.0137F, 3.1F / 255, 1e-6F}) {
    Case example(random_shape(random), unit, random);
    example.weight[0] = kLargestGridWeight;
    example.weight.back() = -kLargestGridWeight;
    example.forward(GridPath::fastest);
    const std::vector<float> fastest = example.output;
    example.forward(GridPath::portable);
    EXPECT_EQ(0, std::memcmp(fastest.data(), example.output.data(), fastest.size() * sizeof(float)))
        << ::testing::PrintToString(example.shape);
  }
}

// How far the byte-wise input gradient may be from the exact one: each clamped difference within
// one step of its channel's grid, dY within half a step of 1/32,639 of the largest.
double gradient_tolerance(const Case& example, double step) {
  const AdderShape& s = example.shape;
  double largest = 0, sum = 0;
  const std::size_t window = static_cast<std::size_t>(s.output_channels);
  for (std::size_t at = 0; at < example.gradient.size(); at += window) {
    double pixel = 0;
    for (std::size_t i = at; i < at + window; ++i) {
      largest = std::max(largest, std::abs(double{example.gradient[i]}));
      pixel += std::abs(double{example.gradient[i]});
    }
    sum = std::max(sum, pixel);
  }
  const double taps = s.kernel * s.kernel;
  return taps * (sum * step + static_cast<double>(window) * largest / 32639) + 1e-5;
}

TEST(AdderGridKernels, InputGradientIsThatOfTheFloatKernelsWithinItsSteps) {
  std::mt19937 random(23);
  for (const GridPath path : {GridPath::fastest, GridPath::portable}) {
    for (int i = 0; i < 40; ++i) {
      // Ranges of activations from a fraction of the clamp to many times it.
      const float unit = std::exp2(std::uniform_real_distribution<float>(-10, -3)(random));
      Case example(random_shape(random), unit, random);
      SCOPED_TRACE(::testing::PrintToString(example.shape));
      const AdderResult expected = example.expected();
      example.backward(path);
      const double step =
          path == GridPath::portable ? 1e-6 : 1 / std::floor(255 / (255 * unit + 2));
      const double tolerance = gradient_tolerance(example, step);
      double error = 0, power = 0;
      for (std::size_t k = 0; k < example.input.size(); ++k) {
        ASSERT_NEAR(example.input_gradient[k], expected.input_gradient[k], tolerance) << k;
        error += std::pow(example.input_gradient[k] - expected.input_gradient[k], 2);
        power += std::pow(expected.input_gradient[k], 2);
      }
      // The errors of single taps have no direction of their own.
      EXPECT_LT(std::sqrt(error / power), 1.5 * step + 1e-4) << "unit " << unit;
    }
  }
}

// Where the grid of the clamp holds the operands themselves, only dY is rounded.
TEST(AdderGridKernels, InputGradientIsExactWhereTheClampsGridHoldsTheOperands) {
  std::mt19937 random(24);
  for (int i = 0; i < 20; ++i) {
    AdderShape shape = random_shape(random);
    Case example(shape, 1.0F, random);  // differences are whole: the clamp gives −1, 0 or 1
    for (std::uint8_t& x : example.input) x = static_cast<std::uint8_t>(x % 5);
    for (std::int32_t& w : example.weight) w = w % 8;
    for (float& g : example.gradient) g = std::round(g * 100);
    SCOPED_TRACE(::testing::PrintToString(shape));
    const AdderResult expected = example.expected();
    example.backward(GridPath::fastest);
    const double tolerance = gradient_tolerance(example, 0);
    for (std::size_t k = 0; k < example.input.size(); ++k) {
      ASSERT_NEAR(example.input_gradient[k], expected.input_gradient[k], tolerance) << k;
    }
  }
}

TEST(AdderGridKernels, InputGradientIsCutAtOne) {
  std::mt19937 random(25);
  Case example({1, 1, 1, 5, 1, 1, 1, 0}, 0.25F, random);
  example.weight = {2};
  example.input = {0, 1, 2, 6, 255};
  example.gradient = {2.0F, 2.0F, 2.0F, 2.0F, 2.0F};
  for (const GridPath path : {GridPath::fastest, GridPath::portable}) {
    example.forward(path);
    example.backward(path);
    EXPECT_EQ(example.output, (std::vector<float>{-0.5F, -0.25F, 0.0F, -1.0F, -63.25F}));
    const float expected[] = {1.0F, 0.5F, 0.0F, -2.0F, -2.0F};
    for (int i = 0; i < 5; ++i) EXPECT_NEAR(example.input_gradient[i], expected[i], 0.02) << i;
  }
}

TEST(AdderGridKernels, WeightGradientIsThatOfDoublePrecision) {
  if (!has_byte_kernels()) GTEST_SKIP() << "this processor has no AVX-512 VNNI";
  std::mt19937 random(26);
  for (int i = 0; i < 40; ++i) {
    AdderShape shape = random_shape(random);
    if (i % 4 == 0) shape.batch = 70;  // more than one chunk and more than one part
    if (i % 4 == 0) shape.input_width = std::max(shape.kernel, shape.input_width % 8);
    Case example(shape, 1.0F / 16, random);
    SCOPED_TRACE(::testing::PrintToString(shape));
    const AdderResult expected = example.expected();
    example.backward_weight();
    const double terms =
        static_cast<double>(shape.batch) * shape.output_height() * shape.output_width();
    // |x − w| is below 54; dY is rounded to within 5 / 65,278, each time to either side.
    for (std::size_t k = 0; k < example.weight.size(); ++k) {
      ASSERT_NEAR(example.weight_gradient[k], expected.weight_gradient[k],
                  54 * 1e-4 * (3 * std::sqrt(terms) + 3))
          << k;
    }
  }
}

TEST(AdderGridKernels, TakeGradientsOfZero) {
  std::mt19937 random(27);
  Case example({2, 5, 6, 6, 7, 3, 1, 1}, 0.1F, random);
  std::fill(example.gradient.begin(), example.gradient.end(), 0.0F);
  example.backward(GridPath::fastest);
  EXPECT_EQ(example.input_gradient, std::vector<float>(example.input.size(), 0.0F));
  if (!has_byte_kernels()) return;
  example.backward_weight();
  EXPECT_EQ(example.weight_gradient, std::vector<float>(example.weight.size(), 0.0F));
}

TEST(AdderGridKernels, DoNotDependOnTheThreads) {
  std::mt19937 random(28);
  Case example({37, 20, 9, 9, 24, 3, 2, 1}, 0.02F, random);
  const int before = omp_get_max_threads();
  const auto run = [&](int threads) {
    omp_set_num_threads(threads);
    example.clear();
    example.forward(GridPath::fastest);
    example.backward(GridPath::fastest);
    if (has_byte_kernels()) example.backward_weight();
    std::vector<float> all = example.output;
    all.insert(all.end(), example.input_gradient.begin(), example.input_gradient.end());
    all.insert(all.end(), example.weight_gradient.begin(), example.weight_gradient.end());
    return all;
  };
  const std::vector<float> one = run(1), three = run(3);
  omp_set_num_threads(before);
  EXPECT_EQ(0, std::memcmp(one.data(), three.data(), one.size() * sizeof(float)));
}

TEST(Grid, RoundsClampsAndReportsItsRange) {
  for (const GridPath path : {GridPath::fastest, GridPath::portable}) {
    std::vector<float> values = {0.0F, 0.25F, 0.26F, 0.75F, 127.5F, 127.74F, 1.0F};
    std::vector<std::uint8_t> levels(values.size());
    const auto size = static_cast<std::int64_t>(values.size());
    GridRange range = to_grid(values.data(), size, 0.5F, levels.data(), path);
    EXPECT_EQ(levels, (std::vector<std::uint8_t>{0, 0, 1, 2, 255, 255, 2}));
    EXPECT_EQ(range.least, 0);
    EXPECT_EQ(range.largest, 255);
    values = {-0.3F, 200.0F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F};
    range = to_grid(values.data(), size, 0.5F, levels.data(), path);
    EXPECT_EQ(levels, (std::vector<std::uint8_t>{0, 255, 0, 0, 0, 0, 0}));
    EXPECT_EQ(range.least, -1);
    EXPECT_EQ(range.largest, 400);
    for (const float bad : {kNaN, std::numeric_limits<float>::infinity(), 1e20F}) {
      values[5] = bad;
      range = to_grid(values.data(), size, 0.5F, levels.data(), path);
      EXPECT_EQ(range.least, std::numeric_limits<std::int32_t>::min()) << bad;
    }
  }
}

TEST(Grid, IsTheSameOnEveryPath) {
  std::mt19937 random(29);
  const std::vector<float> values = test::random_normal(40001, random);
  const auto size = static_cast<std::int64_t>(values.size());
  std::vector<std::uint8_t> fastest(values.size()), portable(values.size());
  to_grid(values.data(), size, 0.013F, fastest.data(), GridPath::fastest);
  to_grid(values.data(), size, 0.013F, portable.data(), GridPath::portable);
  EXPECT_EQ(fastest, portable);
  const float largest = *std::max_element(values.begin(), values.end());
  EXPECT_EQ(largest_value(values.data(), size, GridPath::fastest), largest);
  EXPECT_EQ(largest_value(values.data(), size, GridPath::portable), largest);
  const float below = -1;
  EXPECT_EQ(largest_value(&below, 1, GridPath::fastest), 0);
  EXPECT_EQ(largest_value(&below, 1, GridPath::portable), 0);
}

}  // namespace
}  // namespace abacus::kernels
