#include "tests/kernels/adder_reference.hpp"

#include <algorithm>
#include <cmath>

namespace abacus::kernels {

void PrintTo(const AdderShape& shape, std::ostream* out) {
  *out << shape.batch << "x" << shape.input_channels << "x" << shape.input_height << "x"
       << shape.input_width << " -> " << shape.output_channels << ", kernel " << shape.kernel
       << ", stride " << shape.stride << ", padding " << shape.padding;
}

}  // namespace abacus::kernels

namespace abacus::test {

std::size_t input_elements(const kernels::AdderShape& s) {
  return static_cast<std::size_t>(s.batch) * s.input_channels * s.input_height * s.input_width;
}
std::size_t weight_elements(const kernels::AdderShape& s) {
  return static_cast<std::size_t>(s.output_channels) * s.input_channels * s.kernel * s.kernel;
}
std::size_t output_elements(const kernels::AdderShape& s) {
  return static_cast<std::size_t>(s.batch) * s.output_channels * s.output_height() *
         s.output_width();
}

AdderResult adder_reference(const kernels::AdderShape& s, const std::vector<float>& input,
                            const std::vector<float>& weight,
                            const std::vector<float>& output_gradient) {
  AdderResult result;
  result.output.assign(output_elements(s), 0.0);
  result.input_gradient.assign(input.size(), 0.0);
  result.weight_gradient.assign(weight.size(), 0.0);
  std::size_t at = 0;
  for (int n = 0; n < s.batch; ++n) {
    for (int oy = 0; oy < s.output_height(); ++oy) {
      for (int ox = 0; ox < s.output_width(); ++ox) {
        for (int o = 0; o < s.output_channels; ++o, ++at) {
          const double dy = output_gradient[at];
          double magnitude = 0;
          for (int c = 0; c < s.input_channels; ++c) {
            for (int ky = 0; ky < s.kernel; ++ky) {
              for (int kx = 0; kx < s.kernel; ++kx) {
                const int iy = oy * s.stride + ky - s.padding;
                const int ix = ox * s.stride + kx - s.padding;
                const bool inside = iy >= 0 && ix >= 0 && iy < s.input_height && ix < s.input_width;
                const std::size_t from =
                    inside ? ((static_cast<std::size_t>(n) * s.input_height + iy) * s.input_width +
                              ix) * s.input_channels +
                                 c
                           : 0;
                const std::size_t tap =
                    ((static_cast<std::size_t>(o) * s.input_channels + c) * s.kernel + ky) *
                        s.kernel +
                    kx;
                const double x = inside ? input[from] : 0.0;
                const double w = weight[tap];
                result.output[at] -= std::abs(x - w);
                result.weight_gradient[tap] += (x - w) * dy;
                if (inside) result.input_gradient[from] += std::clamp(w - x, -1.0, 1.0) * dy;
                magnitude += std::abs(x) + std::abs(w);
              }
            }
          }
          result.largest_sum = std::max(result.largest_sum, magnitude);
        }
      }
    }
  }
  return result;
}

kernels::AdderShape random_adder_shape(std::mt19937& random) {
  const auto draw = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  kernels::AdderShape s;
  s.batch = draw(1, 3);
  s.input_channels = draw(1, 40);
  s.output_channels = draw(1, 40);
  s.kernel = draw(1, 5);
  s.stride = draw(1, 3);
  s.padding = draw(0, s.kernel);
  const int smallest = std::max(1, s.kernel - 2 * s.padding);
  s.input_height = draw(smallest, smallest + 9);
  s.input_width = draw(smallest, smallest + 20);
  return s;
}

std::vector<float> random_normal(std::size_t count, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

}  // namespace abacus::test
