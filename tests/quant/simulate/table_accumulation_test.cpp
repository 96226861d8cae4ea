#include "sw/quant/simulate/table_accumulation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "tests/tlm/random_element.hpp"

namespace abacus::quant {
namespace {

// Plain loops, from docs/arithmetic.md.
TEST(TableAccumulation, IsTheSumOfTheTableTaps) {
  std::mt19937 random(3);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto element = std::make_shared<const hw::ElementTable>(test::random_element(seed));
    const int kernel = pick(1, 4), stride = pick(1, 3), padding = pick(0, kernel - 1);
    network::StoredTensor stored;
    stored.shape = {pick(1, 6), pick(kernel, 9), pick(kernel, 9)};
    stored.bits = pick(2, 10);
    stored.is_signed = pick(0, 1) == 1;
    const int groups = pick(1, 3), channels = pick(groups, 7);
    QuantizedConvolution convolution;
    convolution.element = element;
    std::vector<network::ReadQuantizer> quantizers;
    for (int g = 0; g < groups; ++g) quantizers.push_back({pick(1, 4000), pick(0, 12)});
    for (int o = 0; o < channels; ++o) convolution.group.push_back(o % groups);
    const int taps = stored.shape.channels * kernel * kernel;
    for (int i = 0; i < channels * taps; ++i) {
      convolution.weights.push_back(
          static_cast<std::int16_t>(pick(element->lowest_weight(), element->highest_weight())));
    }
    constexpr int batch = 3;
    std::vector<float> values;
    for (std::int64_t i = 0; i < batch * stored.shape.elements(); ++i) {
      values.push_back(static_cast<float>(pick(stored.lowest(), stored.highest())));
    }
    const TableAccumulation table(convolution, quantizers, stored, kernel, stride, padding);
    const int height = table.output_height(), width = table.output_width();
    std::vector<double> found(static_cast<std::size_t>(batch * channels * height * width), -1);
    table.run(batch, values.data(), found.data());

    std::size_t at = 0;
    std::int64_t largest = 0;
    for (int n = 0; n < batch; ++n) {
      for (int o = 0; o < channels; ++o) {
        const network::ReadQuantizer& quantizer = quantizers[static_cast<std::size_t>(o % groups)];
        for (int y = 0; y < height; ++y) {
          for (int x = 0; x < width; ++x) {
            std::int64_t sum = 0;
            for (int c = 0; c < stored.shape.channels; ++c) {
              for (int ky = 0; ky < kernel; ++ky) {
                for (int kx = 0; kx < kernel; ++kx) {
                  const int iy = y * stride + ky - padding, ix = x * stride + kx - padding;
                  std::int64_t a = 0;
                  if (iy >= 0 && ix >= 0 && iy < stored.shape.height && ix < stored.shape.width) {
                    const std::int64_t v =
                        static_cast<std::int64_t>(values[static_cast<std::size_t>(
                            ((n * stored.shape.channels + c) * stored.shape.height + iy) *
                                stored.shape.width +
                            ix)]);
                    const std::int64_t half =
                        quantizer.shift == 0 ? 0 : std::int64_t{1} << (quantizer.shift - 1);
                    a = std::clamp<std::int64_t>(
                        (v * quantizer.multiplier + half) >> quantizer.shift,
                        element->lowest_activation(), element->highest_activation());
                  }
                  const int w = convolution.weights[static_cast<std::size_t>(
                      ((o * stored.shape.channels + c) * kernel + ky) * kernel + kx)];
                  sum += element->tap(static_cast<int>(a), w);
                }
              }
            }
            ASSERT_EQ(found[at], static_cast<double>(sum)) << "seed " << seed << " at " << at;
            ++at;
            largest = std::max(largest, std::abs(sum));
          }
        }
      }
    }
    if (largest > 1 << 24) {
      EXPECT_FALSE(table.fits_float());
    }
  }
}

}  // namespace
}  // namespace abacus::quant
