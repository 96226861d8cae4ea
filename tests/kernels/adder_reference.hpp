// The adder operator written straight from its definition, in double precision.
#pragma once

#include <ostream>
#include <random>
#include <vector>

#include "sw/kernels/adder_kernels.hpp"

namespace abacus::kernels {

// For GoogleTest's messages.
void PrintTo(const AdderShape& shape, std::ostream* out);

}  // namespace abacus::kernels

namespace abacus::test {

struct AdderResult {
  std::vector<double> output;           // NHWC
  std::vector<double> input_gradient;   // NHWC
  std::vector<double> weight_gradient;  // OIHW
  double largest_sum = 0;  // largest Σ (|x| + |w|) of an output: what rounding scales with
};

AdderResult adder_reference(const kernels::AdderShape& shape, const std::vector<float>& input,
                            const std::vector<float>& weight,
                            const std::vector<float>& output_gradient);

std::size_t input_elements(const kernels::AdderShape& shape);
std::size_t weight_elements(const kernels::AdderShape& shape);
std::size_t output_elements(const kernels::AdderShape& shape);

// A small layer with odd sizes, any kernel, stride and padding that leave an output.
kernels::AdderShape random_adder_shape(std::mt19937& random);
std::vector<float> random_normal(std::size_t count, std::mt19937& random);

}  // namespace abacus::test
