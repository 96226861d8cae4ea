#include "models/scale_unit/scale_unit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

namespace abacus::models {
namespace {

class ScaleKernels : public ::testing::TestWithParam<CpuTarget> {
 protected:
  // Runs a few pixels and compares every byte, those between the results included.
  void compare(const ScaleFormat& format, const std::vector<hw::ScaleRecord>& records,
               std::int64_t largest, std::mt19937& random) {
    constexpr int pixels = 5;
    const int columns = static_cast<int>(records.size());
    const int stride = (columns + 7) / 8 * 8;
    std::vector<std::int32_t> accumulators(static_cast<std::size_t>(pixels) * stride);
    for (auto& a : accumulators) {
      const std::int64_t low = std::max<std::int64_t>(-largest, -2147483648LL);
      const std::int64_t high = std::min<std::int64_t>(largest, 2147483647LL);
      a = static_cast<std::int32_t>(
          random() % 4 == 0 ? (random() % 2 ? low : high)
                            : std::uniform_int_distribution<std::int64_t>(low, high)(random));
    }
    const auto elements = static_cast<std::size_t>(pixels) * format.output_channels;
    std::vector<std::uint8_t> output(elements * (format.output.bits <= 8 ? 1u : 2u));
    std::vector<std::uint8_t> residual(elements * (format.residual.bits <= 8 ? 1u : 2u));
    for (auto& byte : output) byte = static_cast<std::uint8_t>(random());
    for (auto& byte : residual) byte = static_cast<std::uint8_t>(random() % 3 ? random() : 255);
    std::vector<std::uint8_t> wanted = output;
    for (int pixel = 0; pixel < pixels; ++pixel) {
      for (int column = 0; column < columns; ++column) {
        const hw::ScaleRecord& record = records[static_cast<std::size_t>(column)];
        const std::size_t element =
            static_cast<std::size_t>(pixel) * format.output_channels + record.output_channel;
        std::int64_t p =
            std::int64_t{accumulators[static_cast<std::size_t>(pixel) * stride + column]} *
                record.multiplier +
            record.bias;
        if (format.has_residual) {
          std::int64_t r = format.residual.bits <= 8
                               ? residual[element]
                               : residual[2 * element] + 256 * residual[2 * element + 1];
          const int width = format.residual.bits <= 8 ? 8 : 16;
          if (format.residual.is_signed && r >= 1 << (width - 1)) r -= 1 << width;
          p += r * format.residual_multiplier * (std::int64_t{1} << format.residual_shift);
        }
        std::int64_t q =
            format.shift == 0 ? p : (p + (std::int64_t{1} << (format.shift - 1))) >> format.shift;
        if (format.relu) q = std::max<std::int64_t>(q, 0);
        const std::int64_t low = format.output.is_signed ? -(1 << (format.output.bits - 1)) : 0;
        const std::int64_t high =
            (1 << (format.output.is_signed ? format.output.bits - 1 : format.output.bits)) - 1;
        q = std::clamp(q, low, high);
        if (format.output.bits <= 8) {
          wanted[element] = static_cast<std::uint8_t>(q);
        } else {
          wanted[2 * element] = static_cast<std::uint8_t>(q);
          wanted[2 * element + 1] = static_cast<std::uint8_t>(q >> 8);
        }
      }
    }
    std::vector<std::uint8_t> bytes(records.size() * sizeof(hw::ScaleRecord));
    std::memcpy(bytes.data(), records.data(), bytes.size());
    plan_.prepare(format, bytes.data(), columns, largest);
    scale(GetParam(), plan_, pixels, accumulators.data(), stride, output.data(), residual.data());
    ASSERT_EQ(output, wanted) << "columns " << columns << " shift " << format.shift << " narrow "
                              << plan_.narrow;
  }

  static std::vector<hw::ScaleRecord> records(int columns, int output_channels, bool neighbours,
                                              std::int64_t largest_bias, std::mt19937& random) {
    std::vector<std::uint16_t> order(static_cast<std::size_t>(output_channels));
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint16_t>(i);
    if (!neighbours) std::shuffle(order.begin(), order.end(), random);
    std::vector<hw::ScaleRecord> list(static_cast<std::size_t>(columns));
    for (std::size_t i = 0; i < list.size(); ++i) {
      list[i].bias =
          std::uniform_int_distribution<std::int64_t>(-largest_bias, largest_bias)(random);
      list[i].multiplier = std::uniform_int_distribution<int>(-32768, 32767)(random);
      list[i].output_channel = order[i];
    }
    return list;
  }

  ScalePlan plan_;
};

TEST_P(ScaleKernels, RandomFormats) {
  std::mt19937 random(1);
  int narrow = 0;
  for (int i = 0; i < 1500; ++i) {
    const auto pick = [&](int low, int high) {
      return std::uniform_int_distribution<int>(low, high)(random);
    };
    ScaleFormat format;
    const auto element_format = [&] {
      return hw::ElementFormat{static_cast<std::uint8_t>(pick(0, 3) ? pick(2, 8) : pick(9, 16)),
                               static_cast<std::uint8_t>(pick(0, 1))};
    };
    const bool small = random() % 2;
    const int sum_bits = small ? 31 : pick(32, 55);
    format.output = element_format();
    format.residual = element_format();
    format.relu = random() % 2;
    format.has_residual = random() % 2;
    format.shift = std::clamp(sum_bits - format.output.bits + pick(-3, 1), 0, 46);
    format.residual_multiplier = small ? pick(0, 1 << 14) : pick(0, 65535);
    format.residual_shift = small ? pick(0, 7) : pick(0, 24);
    const int columns = pick(1, 40);
    format.output_channels = columns + (random() % 2 ? pick(0, 90) : 0);
    const std::int64_t largest = std::int64_t{1}
                                 << (small ? pick(4, 14) : std::min(31, sum_bits - 15));
    compare(format,
            records(columns, format.output_channels, random() % 2,
                    std::int64_t{1} << std::min(46, sum_bits - 3), random),
            largest, random);
    if (HasFatalFailure()) return;
    narrow += plan_.narrow;
  }
  // Both ways of summing were taken.
  EXPECT_GT(narrow, 100);
  EXPECT_LT(narrow, 1400);
}

TEST_P(ScaleKernels, AtTheEdgeOf32Bits) {
  std::mt19937 random(2);
  ScaleFormat format;
  format.output = {8, 1};
  format.shift = 24;
  format.output_channels = 16;
  for (const int above : {0, 1}) {
    std::vector<hw::ScaleRecord> list = records(16, 16, true, 0, random);
    // bias + rounding + 65535 · 32767 = 2^31 − 1 or 2^31.
    for (hw::ScaleRecord& record : list) {
      record.multiplier = 32767;
      record.bias = (std::int64_t{1} << 31) - 1 - (1 << 23) - std::int64_t{65535} * 32767 + above;
    }
    compare(format, list, 65535, random);
    EXPECT_EQ(plan_.narrow, above == 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, ScaleKernels, ::testing::ValuesIn(supported_cpu_targets()),
                         [](const auto& instance) { return to_string(instance.param); });

TEST(ScaleUnit, FinishesItsLanesACycle) {
  const ScaleUnit unit(4, 24);
  EXPECT_EQ(unit.cycles(12544), 3136);
  EXPECT_EQ(unit.cycles(5), 2);
}

TEST(ScaleUnit, RefusesNoLanes) { EXPECT_THROW(ScaleUnit(0, 24), std::invalid_argument); }

TEST(ScaleUnit, CountsItsActions) {
  Activity activity;
  ScaleFormat format;
  const ScaleUnit unit(4, 20);
  unit.count(activity, 2, format, 100);
  const auto times = [&](Action action, int bits_a, int bits_b) {
    const auto found = activity.counts().find({2, Component::scale_unit, action, bits_a, bits_b});
    return found == activity.counts().end() ? 0 : found->second;
  };
  EXPECT_EQ(times(Action::multiply, 20, 16), 100);
  EXPECT_EQ(times(Action::add, 48, 0), 200);
  EXPECT_EQ(times(Action::shift, 48, 0), 100);
  format.has_residual = true;
  format.residual = {6, 0};
  activity.clear();
  unit.count(activity, 2, format, 100);
  EXPECT_EQ(times(Action::multiply, 6, 16), 100);
  EXPECT_EQ(times(Action::add, 48, 0), 300);
  EXPECT_EQ(times(Action::shift, 48, 0), 200);
}

}  // namespace
}  // namespace abacus::models
