#include "sw/quant/simulate/adder_accumulation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

namespace abacus::quant {
namespace {

struct Case {
  network::StoredTensor stored;
  QuantizedConvolution convolution;
  std::vector<network::ReadQuantizer> read_quantizers;
  int kernel, stride, padding;
};

// Any layer that docs/arithmetic.md allows, of moderate size.
Case random_case(std::mt19937& random) {
  const auto draw = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  Case result;
  result.kernel = draw(1, 5);
  result.stride = draw(1, 3);
  result.padding = draw(0, result.kernel - 1);
  const int smallest = std::max(1, result.kernel - 2 * result.padding);
  result.stored.shape = {draw(1, 70), draw(smallest, smallest + 12), draw(smallest, smallest + 20)};
  result.stored.bits = draw(2, 10);
  result.stored.is_signed = draw(0, 1) == 1;
  QuantizedConvolution& layer = result.convolution;
  layer.weight_bits = draw(2, 8);
  layer.activation_bits = draw(2, 8);
  layer.activation_signed = result.stored.is_signed;
  if (draw(0, 1) == 1) {
    layer.weight_shift = draw(0, 9 - layer.weight_bits);
  } else {
    layer.activation_shift = draw(0, 9 - layer.activation_bits);
  }
  const int groups = draw(1, 4);
  for (int g = 0; g < groups; ++g) result.read_quantizers.push_back({draw(1, 400), draw(0, 9)});
  const int channels = draw(groups, 11);
  for (int o = 0; o < channels; ++o) {
    layer.group.push_back(draw(0, groups - 1));
    for (int i = 0; i < result.stored.shape.channels * result.kernel * result.kernel; ++i) {
      layer.weights.push_back(static_cast<std::int16_t>(
          draw(lowest_integer(layer.weight_bits, true), highest_integer(layer.weight_bits, true))));
    }
  }
  return result;
}

// docs/arithmetic.md in plain loops.
long accumulator(const Case& c, const float* stored, int o, int oy, int ox) {
  const QuantizedConvolution& layer = c.convolution;
  const network::ReadQuantizer& read =
      c.read_quantizers[static_cast<std::size_t>(layer.group[static_cast<std::size_t>(o)])];
  const network::Shape& shape = c.stored.shape;
  long sum = 0;
  for (int i = 0; i < shape.channels; ++i) {
    for (int ky = 0; ky < c.kernel; ++ky) {
      for (int kx = 0; kx < c.kernel; ++kx) {
        const int y = oy * c.stride + ky - c.padding, x = ox * c.stride + kx - c.padding;
        long a = 0;
        if (y >= 0 && y < shape.height && x >= 0 && x < shape.width) {
          const long value = static_cast<long>(stored[(i * shape.height + y) * shape.width + x]);
          const long half = read.shift == 0 ? 0 : 1L << (read.shift - 1);
          a = std::clamp((value * read.multiplier + half) >> read.shift,
                         long{lowest_integer(layer.activation_bits, layer.activation_signed)},
                         long{highest_integer(layer.activation_bits, layer.activation_signed)});
        }
        const std::size_t index =
            static_cast<std::size_t>(((o * shape.channels + i) * c.kernel + ky) * c.kernel + kx);
        sum += std::labs(a * (1L << layer.activation_shift) -
                         layer.weights[index] * (1L << layer.weight_shift));
      }
    }
  }
  return sum;
}

TEST(AdderAccumulation, AgreesWithPlainLoopsOnRandomLayers) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 60; ++trial) {
    const Case c = random_case(random);
    const AdderAccumulation accumulation(c.convolution, c.read_quantizers, c.stored, c.kernel,
                                         c.stride, c.padding);
    const std::int64_t batch = 3;
    std::vector<float> stored(static_cast<std::size_t>(batch * c.stored.shape.elements()));
    for (float& value : stored) {
      value = static_cast<float>(
          std::uniform_int_distribution<int>(c.stored.lowest(), c.stored.highest())(random));
    }
    const int height = accumulation.output_height(), width = accumulation.output_width();
    const int channels = accumulation.output_channels();
    std::vector<float> found(static_cast<std::size_t>(batch * channels * height * width), -1.0F);
    accumulation.run(batch, stored.data(), found.data());
    std::size_t at = 0;
    for (std::int64_t n = 0; n < batch; ++n) {
      for (int o = 0; o < channels; ++o) {
        for (int y = 0; y < height; ++y) {
          for (int x = 0; x < width; ++x) {
            ASSERT_EQ(found[at++], static_cast<float>(accumulator(
                                       c, stored.data() + n * c.stored.shape.elements(), o, y, x)))
                << "trial " << trial << ", image " << n << ", channel " << o << ", " << y << ", "
                << x;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace abacus::quant
