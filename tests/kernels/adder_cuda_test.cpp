// The adder operator's CUDA kernels against its definition. Skipped where there is no GPU.
#include "sw/kernels/cuda/adder_cuda.hpp"

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tests/kernels/adder_reference.hpp"

namespace abacus::kernels {
namespace {

using test::adder_reference;
using test::AdderResult;
using test::random_adder_shape;
using test::random_normal;

void require(cudaError_t error) { ASSERT_EQ(error, cudaSuccess) << cudaGetErrorString(error); }

// Floats in the GPU's memory.
class DeviceFloats {
 public:
  explicit DeviceFloats(const std::vector<float>& values) : count_(values.size()) {
    require(cudaMalloc(&data_, count_ * sizeof(float)));
    require(cudaMemcpy(data_, values.data(), count_ * sizeof(float), cudaMemcpyHostToDevice));
  }
  // Filled with NaN, so that an element left out is seen.
  explicit DeviceFloats(std::size_t count)
      : DeviceFloats(std::vector<float>(count, std::numeric_limits<float>::quiet_NaN())) {}
  ~DeviceFloats() { cudaFree(data_); }
  DeviceFloats(const DeviceFloats&) = delete;
  DeviceFloats& operator=(const DeviceFloats&) = delete;

  float* data() { return data_; }
  std::vector<float> values() const {
    std::vector<float> result(count_);
    require(cudaMemcpy(result.data(), data_, count_ * sizeof(float), cudaMemcpyDeviceToHost));
    return result;
  }

 private:
  float* data_ = nullptr;
  std::size_t count_;
};

struct Results {
  std::vector<float> output, input_gradient, weight_gradient;
};

Results compute(const AdderShape& shape, const std::vector<float>& input,
                const std::vector<float>& weight, const std::vector<float>& gradient, float unit,
                float slope, CudaWeightGradient kind) {
  DeviceFloats x(input), w(weight), dy(gradient);
  DeviceFloats y(gradient.size()), dx(input.size()), dw(weight.size());
  DeviceFloats scratch(static_cast<std::size_t>(cuda_adder_scratch(shape)));
  const CudaAdderOperands operands{x.data(), w.data(), unit};
  cuda_adder_forward(shape, operands, y.data());
  cuda_adder_input_gradient(shape, operands, slope, dy.data(), dx.data());
  cuda_adder_weight_gradient(shape, operands, kind, dy.data(), scratch.data(), dw.data());
  require(cudaDeviceSynchronize());
  return {y.values(), dx.values(), dw.values()};
}

void expect_near(const std::vector<float>& found, const std::vector<double>& expected,
                 double tolerance, const char* what) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i], tolerance) << what << " " << i;
  }
}

void expect_correct(const AdderShape& shape, std::mt19937& random) {
  SCOPED_TRACE(::testing::Message()
               << shape.batch << "x" << shape.input_channels << "x" << shape.input_height << "x"
               << shape.input_width << " -> " << shape.output_channels << ", kernel "
               << shape.kernel << ", stride " << shape.stride << ", padding " << shape.padding);
  const std::vector<float> input = random_normal(test::input_elements(shape), random);
  const std::vector<float> weight = random_normal(test::weight_elements(shape), random);
  const std::vector<float> gradient = random_normal(test::output_elements(shape), random);
  const AdderResult expected = adder_reference(shape, input, weight, gradient);
  const Results found =
      compute(shape, input, weight, gradient, 0, 1, CudaWeightGradient::difference);
  // A few roundings of 2^-24 relative to what is summed; sums of thousands of terms stay below 64.
  const double ulp = std::ldexp(1.0, -24);
  expect_near(found.output, expected.output, 64 * ulp * (1 + expected.largest_sum), "output");
  const double terms = shape.output_channels * shape.kernel * static_cast<double>(shape.kernel);
  expect_near(found.input_gradient, expected.input_gradient, 64 * ulp * (1 + terms),
              "input gradient");
  const double positions =
      static_cast<double>(shape.batch) * shape.output_height() * shape.output_width();
  expect_near(found.weight_gradient, expected.weight_gradient, 64 * ulp * (1 + positions),
              "weight gradient");
}

// Operands of whole numbers times a unit, many of them equal: sums are exact and signs are 0 there.
void expect_exact_on_a_grid(const AdderShape& shape, std::mt19937& random) {
  const float unit = 0.0371F;
  std::vector<float> input = random_normal(test::input_elements(shape), random);
  std::vector<float> weight = random_normal(test::weight_elements(shape), random);
  const std::vector<float> gradient = random_normal(test::output_elements(shape), random);
  std::vector<float> whole_input = input, whole_weight = weight;
  for (std::size_t k = 0; k < input.size(); ++k) {
    whole_input[k] = std::round(2 + 2 * input[k]);
    input[k] = whole_input[k] * unit;
  }
  for (std::size_t k = 0; k < weight.size(); ++k) {
    whole_weight[k] = std::round(2 + 3 * weight[k]);
    weight[k] = whole_weight[k] * unit;
  }
  // Signs are the clamped slope of whole numbers.
  const AdderResult expected = adder_reference(shape, whole_input, whole_weight, gradient);
  const Results found = compute(shape, input, weight, gradient, unit, 1, CudaWeightGradient::sign);
  for (std::size_t k = 0; k < found.output.size(); ++k) {
    ASSERT_EQ(found.output[k], static_cast<float>(expected.output[k]) * unit);
  }
  const double ulp = std::ldexp(1.0, -24);
  expect_near(found.input_gradient, expected.input_gradient,
              64 * ulp * (1 + shape.output_channels * shape.kernel * shape.kernel),
              "input gradient");
  // The weights' signs by definition: differences of whole numbers clamped to one.
  std::vector<double> signs(weight.size(), 0.0);
  std::size_t at = 0;
  for (std::int64_t n = 0; n < shape.batch; ++n) {
    for (int oy = 0; oy < shape.output_height(); ++oy) {
      for (int ox = 0; ox < shape.output_width(); ++ox) {
        for (int o = 0; o < shape.output_channels; ++o, ++at) {
          for (int c = 0; c < shape.input_channels; ++c) {
            for (int ky = 0; ky < shape.kernel; ++ky) {
              for (int kx = 0; kx < shape.kernel; ++kx) {
                const int y = oy * shape.stride + ky - shape.padding;
                const int x = ox * shape.stride + kx - shape.padding;
                float operand = 0;
                if (y >= 0 && y < shape.input_height && x >= 0 && x < shape.input_width) {
                  operand = whole_input[static_cast<std::size_t>(
                      ((n * shape.input_height + y) * shape.input_width + x) *
                          shape.input_channels +
                      c)];
                }
                const std::size_t w = static_cast<std::size_t>(
                    ((o * shape.input_channels + c) * shape.kernel + ky) * shape.kernel + kx);
                const double sign = operand > whole_weight[w]   ? 1
                                    : operand < whole_weight[w] ? -1
                                                                : 0;
                signs[w] += sign * static_cast<double>(gradient[at]);
              }
            }
          }
        }
      }
    }
  }
  const double positions =
      static_cast<double>(shape.batch) * shape.output_height() * shape.output_width();
  expect_near(found.weight_gradient, signs, 64 * ulp * (1 + positions), "weight gradient");
}

class AdderCuda : public ::testing::Test {
 protected:
  void SetUp() override {
    int devices = 0;
    if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
      GTEST_SKIP() << "no GPU here";
    }
  }
};

TEST_F(AdderCuda, AgreesWithTheDefinitionOnRandomShapes) {
  std::mt19937 random(1);
  for (int i = 0; i < 60 && !HasFatalFailure(); ++i) {
    expect_correct(random_adder_shape(random), random);
  }
}

TEST_F(AdderCuda, AgreesOnTheShapesOfResNet) {
  std::mt19937 random(2);
  const std::vector<AdderShape> shapes = {
      {2, 16, 32, 32, 16, 3, 1, 1}, {3, 16, 32, 32, 32, 3, 2, 1}, {2, 16, 28, 28, 32, 1, 2, 0},
      {3, 32, 16, 16, 64, 3, 2, 1}, {5, 64, 7, 7, 64, 3, 1, 1},   {9, 64, 8, 8, 64, 3, 1, 1},
      {1, 3, 11, 9, 7, 5, 2, 2},    {3, 20, 16, 16, 12, 3, 1, 1}, {5, 4, 8, 8, 36, 3, 1, 1},
      {1, 8, 32, 32, 40, 3, 1, 1}};
  for (const AdderShape& shape : shapes) expect_correct(shape, random);
}

TEST_F(AdderCuda, IsExactOnAGrid) {
  std::mt19937 random(3);
  for (int i = 0; i < 20 && !HasFatalFailure(); ++i) {
    expect_exact_on_a_grid(random_adder_shape(random), random);
  }
  const std::vector<AdderShape> windows = {
      {2, 16, 32, 32, 16, 3, 1, 1}, {3, 20, 16, 16, 12, 3, 1, 1}, {5, 32, 8, 8, 36, 3, 1, 1}};
  for (const AdderShape& shape : windows) expect_exact_on_a_grid(shape, random);
}

TEST_F(AdderCuda, GivesTheSameBitsAgain) {
  std::mt19937 random(4);
  for (const AdderShape& shape :
       {AdderShape{32, 16, 16, 16, 32, 3, 1, 1}, AdderShape{32, 16, 16, 16, 32, 3, 2, 1}}) {
    const std::vector<float> input = random_normal(test::input_elements(shape), random);
    const std::vector<float> weight = random_normal(test::weight_elements(shape), random);
    const std::vector<float> gradient = random_normal(test::output_elements(shape), random);
    const Results one =
        compute(shape, input, weight, gradient, 0, 1, CudaWeightGradient::difference);
    const Results two =
        compute(shape, input, weight, gradient, 0, 1, CudaWeightGradient::difference);
    EXPECT_EQ(one.output, two.output);
    EXPECT_EQ(one.input_gradient, two.input_gradient);
    EXPECT_EQ(one.weight_gradient, two.weight_gradient);
  }
}

}  // namespace
}  // namespace abacus::kernels
