#include "models/read_quantizer/read_quantizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "models/array/kernels.hpp"
#include "models/simd/aligned_buffer.hpp"

namespace abacus::models {
namespace {

int by_the_book(const ReadFormat& f, std::int64_t v) {
  if (f.sign) return v < 0 ? -1 : 1;
  const std::int64_t product = v * f.multiplier;
  const std::int64_t rounded =
      f.shift == 0 ? product : (product + (std::int64_t{1} << (f.shift - 1))) >> f.shift;
  const int low = f.activation_signed ? -(1 << (f.activation_bits - 1)) : 0;
  const int high =
      f.activation_signed ? (1 << (f.activation_bits - 1)) - 1 : (1 << f.activation_bits) - 1;
  return static_cast<int>(std::clamp<std::int64_t>(rounded, low, high));
}

class ReadKernels : public ::testing::TestWithParam<CpuTarget> {
 protected:
  void compare(const ReadFormat& format, const TapFormat& taps, const ReadTile& tile,
               std::mt19937& random) {
    const int bytes = format.stored.bits <= 8 ? 1 : 2;
    const int stored_rows = tile.input_height - tile.first_stored_row;
    std::vector<std::uint8_t> input(static_cast<std::size_t>(stored_rows) * tile.input_width *
                                    tile.channels * bytes);
    for (auto& byte : input) byte = static_cast<std::uint8_t>(random());
    const OperandLayout layout = plan_taps(taps, GetParam()).layout();
    const int padded_channels = (tile.channels + 7) / 8 * 8;
    const std::size_t count =
        static_cast<std::size_t>(tile.rows) * tile.operand_width * padded_channels;
    AlignedBuffer<std::uint8_t> operands;
    operands.reserve(count * (layout.wide ? 2 : 1));
    ReadQuantizer(GetParam()).read(format, layout, tile, input.data(), operands.data());
    for (int row = 0; row < tile.rows; ++row) {
      for (int x = 0; x < tile.operand_width; ++x) {
        for (int channel = 0; channel < padded_channels; ++channel) {
          const int y = tile.first_row + row;
          const int ix = x - tile.padding;
          // Without a zero, a padded position is −1; channels that do not exist stay out of it.
          int a = taps.kind == hw::TapKind::sign_product && channel < tile.channels ? -1 : 0;
          if (y >= 0 && y < tile.input_height && ix >= 0 && ix < tile.input_width &&
              channel < tile.channels) {
            const std::size_t index =
                (static_cast<std::size_t>(y - tile.first_stored_row) * tile.input_width + ix) *
                    tile.channels +
                channel;
            int v = bytes == 1 ? input[index] : input[2 * index] + 256 * input[2 * index + 1];
            const int width = 8 * bytes;
            if (format.stored.is_signed && v >= 1 << (width - 1)) v -= 1 << width;
            a = by_the_book(format, v);
          }
          const std::size_t at =
              (static_cast<std::size_t>(row) * tile.operand_width + x) * padded_channels + channel;
          const int operand = layout.wide
                                  ? reinterpret_cast<const std::int16_t*>(operands.data())[at]
                                  : operands.data()[at];
          ASSERT_EQ(operand, a * (1 << taps.activation_shift) + layout.zero)
              << "row " << row << " x " << x << " channel " << channel;
        }
      }
    }
  }
};

TEST_P(ReadKernels, RandomTiles) {
  std::mt19937 random(1);
  for (int i = 0; i < 800; ++i) {
    const auto pick = [&](int low, int high) {
      return std::uniform_int_distribution<int>(low, high)(random);
    };
    ReadFormat format;
    format.stored = {static_cast<std::uint8_t>(pick(0, 3) ? pick(2, 8) : pick(9, 16)),
                     static_cast<std::uint8_t>(pick(0, 1))};
    format.multiplier = pick(0, 3) ? pick(1, 65535) : 1;
    format.shift = format.multiplier == 1 ? 0 : pick(0, 31);
    TapFormat taps;
    taps.kind = pick(0, 1) ? hw::TapKind::absolute_difference : hw::TapKind::product;
    taps.activation_bits = format.activation_bits = pick(2, 8);
    taps.activation_signed = format.activation_signed = random() % 2;
    if (i % 4 == 0) {
      taps.kind = hw::TapKind::sign_product;
      taps.weight_bits = taps.activation_bits = format.activation_bits = 1;
      taps.activation_signed = format.activation_signed = format.sign = true;
      format.multiplier = 1;
      format.shift = 0;
    }
    if (taps.kind == hw::TapKind::absolute_difference) {
      taps.activation_shift = std::min(pick(0, 3), 9 - taps.activation_bits);
    }
    ReadTile tile;
    tile.input_height = pick(1, 9);
    tile.input_width = pick(1, 20);
    tile.channels = pick(0, 3) ? pick(1, 40) : pick(60, 90);
    tile.padding = pick(0, 2);
    tile.first_row = pick(-2, tile.input_height - 1);
    tile.first_stored_row = pick(0, std::max(tile.first_row, 0));
    tile.rows = pick(1, 8);
    // Windows at stride 2 may leave columns out on the right.
    tile.operand_width = std::max(1, tile.input_width + pick(-1, 2 * tile.padding));
    compare(format, taps, tile, random);
    if (HasFatalFailure()) return;
  }
}

TEST_P(ReadKernels, EveryStoredByteAtTheLimits) {
  std::mt19937 random(2);
  const ReadTile tile{16, 16, 8, 0, 0, 16, 0, 16};
  for (const int multiplier : {1, 2, 32768, 65535}) {
    for (const int shift : {0, 1, 15, 16, 30, 31}) {
      for (const int signs : {0, 1, 2, 3}) {
        ReadFormat format;
        format.stored = {8, static_cast<std::uint8_t>(signs % 2)};
        format.multiplier = multiplier;
        format.shift = shift;
        TapFormat taps;
        taps.activation_signed = format.activation_signed = signs / 2;
        compare(format, taps, tile, random);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, ReadKernels, ::testing::ValuesIn(supported_cpu_targets()),
                         [](const auto& instance) { return to_string(instance.param); });

TEST(ReadQuantizer, CostsNothingWhereItPassesValuesThrough) {
  const ReadQuantizer quantizer;
  ReadFormat format;
  format.stored = {8, 0};
  EXPECT_TRUE(format.identity());
  EXPECT_EQ(quantizer.latency_cycles(format), 0);
  Activity activity;
  quantizer.count(activity, 0, format, 1000);
  EXPECT_TRUE(activity.counts().empty());
}

TEST(ReadQuantizer, CostsNothingWhereItPassesSignsOn) {
  const ReadQuantizer quantizer;
  ReadFormat format;
  format.stored = {8, 1};
  format.activation_bits = 1;
  format.activation_signed = format.sign = true;
  EXPECT_FALSE(format.identity());
  EXPECT_EQ(quantizer.latency_cycles(format), 0);
  Activity activity;
  quantizer.count(activity, 0, format, 1000);
  EXPECT_TRUE(activity.counts().empty());
}

TEST(ReadQuantizer, NarrowsOtherwise) {
  const ReadQuantizer quantizer;
  ReadFormat narrower;
  narrower.activation_bits = 4;
  ReadFormat scaled;
  scaled.multiplier = 3;
  ReadFormat shifted;
  shifted.shift = 1;
  ReadFormat other_sign;
  other_sign.stored.is_signed = 1;
  for (const ReadFormat& format : {narrower, scaled, shifted, other_sign}) {
    EXPECT_FALSE(format.identity());
    EXPECT_EQ(quantizer.latency_cycles(format), 2);
    Activity activity;
    quantizer.count(activity, 1, format, 1000);
    EXPECT_EQ(activity.counts().at({1, Component::read_quantizer, Action::multiply, 8, 16}), 1000);
    EXPECT_EQ(activity.counts().at({1, Component::read_quantizer, Action::add, 24, 0}), 1000);
    EXPECT_EQ(activity.counts().at({1, Component::read_quantizer, Action::shift, 24, 0}), 1000);
  }
}

}  // namespace
}  // namespace abacus::models
