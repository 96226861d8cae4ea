#include "sw/kernels/adder_kernels.hpp"

#include <gtest/gtest.h>
#include <hwy/targets.h>
#include <omp.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <ostream>
#include <random>
#include <vector>

#include "tests/kernels/adder_reference.hpp"

namespace abacus::kernels {

namespace {

using test::adder_reference;
using test::AdderResult;
using test::random_adder_shape;
using test::random_normal;

struct Case {
  AdderShape shape;
  std::vector<float> input, weight, gradient;
  // Filled with NaN, so that an element left out is seen.
  std::vector<float> output, input_gradient;

  Case(const AdderShape& s, std::mt19937& random)
      : shape(s),
        input(test::random_normal(test::input_elements(s), random)),
        weight(test::random_normal(test::weight_elements(s), random)),
        gradient(test::random_normal(test::output_elements(s), random)) {
    clear();
  }
  void clear() {
    output.assign(gradient.size(), std::numeric_limits<float>::quiet_NaN());
    input_gradient.assign(input.size(), std::numeric_limits<float>::quiet_NaN());
  }
  void run() {
    adder_forward(shape, input.data(), weight.data(), output.data());
    adder_input_gradient(shape, input.data(), weight.data(), gradient.data(),
                         input_gradient.data());
  }
};

void expect_near(const std::vector<float>& found, const std::vector<double>& expected,
                 double tolerance, const char* what) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i], tolerance) << what << " " << i;
  }
}

void expect_correct(Case& example) {
  SCOPED_TRACE(::testing::PrintToString(example.shape));
  const AdderResult expected =
      test::adder_reference(example.shape, example.input, example.weight, example.gradient);
  example.run();
  // A few roundings of 2^-24 relative to what is summed; sums of thousands of terms stay below 32.
  const double unit = std::ldexp(1.0, -24);
  expect_near(example.output, expected.output, 32 * unit * (1 + expected.largest_sum), "output");
  const double gradient_terms = example.shape.output_channels * example.shape.kernel *
                                static_cast<double>(example.shape.kernel);
  expect_near(example.input_gradient, expected.input_gradient, 32 * unit * (1 + gradient_terms),
              "input gradient");
}

// The kernels for one instruction set, as far as this processor has it.
class AdderKernels : public ::testing::TestWithParam<std::int64_t> {
 protected:
  void SetUp() override {
    hwy::SetSupportedTargetsForTest(0);
    if (GetParam() != HWY_SCALAR && (hwy::SupportedTargets() & GetParam()) == 0) {
      GTEST_SKIP() << "this processor has no " << hwy::TargetName(GetParam());
    }
    omp_set_num_threads(1);
    hwy::SetSupportedTargetsForTest(GetParam());
    hwy::GetChosenTarget().Update(GetParam());
  }
  void TearDown() override {
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

TEST_P(AdderKernels, AgreeWithDoublePrecisionOnRandomShapes) {
  std::mt19937 random(1);
  for (int i = 0; i < 40; ++i) {
    Case example(test::random_adder_shape(random), random);
    expect_correct(example);
  }
}

TEST_P(AdderKernels, AgreeOnTheShapesOfResNet) {
  std::mt19937 random(2);
  const std::vector<AdderShape> shapes = {
      {1, 16, 28, 28, 16, 3, 1, 1}, {1, 16, 28, 28, 32, 3, 2, 1}, {1, 16, 28, 28, 32, 1, 2, 0},
      {1, 32, 16, 16, 64, 3, 2, 1}, {2, 64, 7, 7, 64, 3, 1, 1},   {2, 64, 8, 8, 64, 3, 1, 1},
      {1, 32, 7, 7, 48, 1, 2, 0}};
  for (const AdderShape& shape : shapes) {
    Case example(shape, random);
    expect_correct(example);
  }
}

TEST_P(AdderKernels, GradientIsCutAtOne) {
  const AdderShape shape{1, 1, 1, 4, 1, 1, 1, 0};
  std::mt19937 random(3);
  Case example(shape, random);
  example.weight = {0.5F};
  example.input = {-7.0F, 0.25F, 1.0F, 100.0F};
  example.gradient = {2.0F, 2.0F, 2.0F, 2.0F};
  example.run();
  EXPECT_EQ(example.input_gradient, (std::vector<float>{2.0F, 0.5F, -1.0F, -2.0F}));
  EXPECT_EQ(example.output, (std::vector<float>{-7.5F, -0.25F, -0.5F, -99.5F}));
}

TEST_P(AdderKernels, PaddedTapsAddTheWeight) {
  const AdderShape shape{1, 1, 1, 1, 1, 3, 1, 1};
  std::mt19937 random(4);
  Case example(shape, random);
  example.input = {0.0F};
  example.weight = {1, -2, 3, -4, 5, -6, 7, -8, 9};
  example.gradient = {1.0F};
  example.run();
  EXPECT_EQ(example.output, std::vector<float>{-45.0F});
  EXPECT_EQ(example.input_gradient, std::vector<float>{1.0F});
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, AdderKernels,
                         ::testing::Values(HWY_SCALAR, HWY_SSE4, HWY_AVX2, HWY_AVX3),
                         [](const auto& parameter) {
                           return std::string(hwy::TargetName(parameter.param));
                         });

TEST(AdderKernelThreads, DoNotChangeTheResult) {
  std::mt19937 random(5);
  Case example({7, 20, 9, 9, 24, 3, 2, 1}, random);
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  example.run();
  const std::vector<float> output = example.output, gradient = example.input_gradient;
  example.clear();
  omp_set_num_threads(3);
  example.run();
  omp_set_num_threads(before);
  EXPECT_EQ(0, std::memcmp(output.data(), example.output.data(), output.size() * sizeof(float)));
  EXPECT_EQ(0, std::memcmp(gradient.data(), example.input_gradient.data(),
                           gradient.size() * sizeof(float)));
}

}  // namespace
}  // namespace abacus::kernels
