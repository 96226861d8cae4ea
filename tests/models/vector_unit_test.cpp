#include "models/vector_unit/vector_unit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace abacus::models {
namespace {

struct Tensor {
  Tensor(hw::ElementFormat f, std::size_t elements)
      : format(f), bytes(elements * (f.bits > 8 ? 2u : 1u)) {}
  void randomize(std::mt19937& random) {
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(random());
  }
  std::int64_t at(std::size_t i) const {
    const bool wide = format.bits > 8;
    const int v = wide ? bytes[2 * i] + 256 * bytes[2 * i + 1] : bytes[i];
    const int width = wide ? 16 : 8;
    return format.is_signed && v >= 1 << (width - 1) ? v - (1 << width) : v;
  }
  hw::ElementFormat format;
  std::vector<std::uint8_t> bytes;
};

std::int64_t finish(std::int64_t p, int shift, bool relu, hw::ElementFormat format) {
  std::int64_t q = shift == 0 ? p : (p + (std::int64_t{1} << (shift - 1))) >> shift;
  if (relu) q = std::max<std::int64_t>(q, 0);
  const std::int64_t low = format.is_signed ? -(1 << (format.bits - 1)) : 0;
  const std::int64_t high = (1 << (format.is_signed ? format.bits - 1 : format.bits)) - 1;
  return std::clamp(q, low, high);
}

hw::ElementFormat random_format(std::mt19937& random) {
  return {static_cast<std::uint8_t>(2 + random() % 15), static_cast<std::uint8_t>(random() % 2)};
}

TEST(VectorUnit, AddsBitForBit) {
  std::mt19937 random(1);
  const VectorUnit unit{hw::VectorUnitConfig{}};
  for (int i = 0; i < 500; ++i) {
    AddFormat format;
    format.first = random_format(random);
    format.second = random_format(random);
    format.output = random_format(random);
    format.multiplier = static_cast<int>(random() % 65536);
    format.second_multiplier = static_cast<int>(random() % 65536);
    format.left_shift = static_cast<int>(random() % 25);
    format.second_left_shift = static_cast<int>(random() % 25);
    format.shift = static_cast<int>(random() % 47);
    format.relu = random() % 2;
    const std::size_t elements = 1 + random() % 50;
    Tensor first(format.first, elements), second(format.second, elements),
        output(format.output, elements);
    first.randomize(random);
    second.randomize(random);
    unit.add(format, elements, first.bytes.data(), second.bytes.data(), output.bytes.data());
    for (std::size_t e = 0; e < elements; ++e) {
      const std::int64_t p =
          first.at(e) * format.multiplier * (std::int64_t{1} << format.left_shift) +
          second.at(e) * format.second_multiplier * (std::int64_t{1} << format.second_left_shift);
      ASSERT_EQ(output.at(e), finish(p, format.shift, format.relu, format.output));
    }
  }
}

TEST(VectorUnit, PoolsBitForBit) {
  std::mt19937 random(2);
  VectorUnit unit{hw::VectorUnitConfig{}};
  for (int i = 0; i < 500; ++i) {
    PoolFormat format;
    format.input = random_format(random);
    format.output = random_format(random);
    format.kernel = static_cast<int>(1 + random() % 4);
    format.stride = static_cast<int>(1 + random() % 4);
    format.maximum = random() % 2;
    format.multiplier = static_cast<int>(random() % 65536);
    format.shift = static_cast<int>(random() % 30);
    format.bias = static_cast<std::int64_t>(random()) - (std::int64_t{1} << 31);
    format.height = static_cast<int>(1 + random() % 3);
    format.width = static_cast<int>(1 + random() % 3);
    format.channels = static_cast<int>(1 + random() % 20);
    format.input_width =
        (format.width - 1) * format.stride + format.kernel + static_cast<int>(random() % 3);
    Tensor input(format.input, static_cast<std::size_t>(format.input_rows()) * format.input_width *
                                   format.channels);
    Tensor output(format.output,
                  static_cast<std::size_t>(format.height) * format.width * format.channels);
    input.randomize(random);
    unit.pool(format, input.bytes.data(), output.bytes.data());
    std::size_t element = 0;
    for (int y = 0; y < format.height; ++y) {
      for (int x = 0; x < format.width; ++x) {
        for (int c = 0; c < format.channels; ++c, ++element) {
          std::int64_t sum = 0;
          std::int64_t maximum = -65536;
          for (int ky = 0; ky < format.kernel; ++ky) {
            for (int kx = 0; kx < format.kernel; ++kx) {
              const std::int64_t v = input.at(static_cast<std::size_t>(
                  ((y * format.stride + ky) * format.input_width + x * format.stride + kx) *
                      format.channels +
                  c));
              sum += v;
              maximum = std::max(maximum, v);
            }
          }
          const std::int64_t v = format.maximum ? maximum : sum;
          ASSERT_EQ(output.at(element), finish(v * format.multiplier + format.bias, format.shift,
                                               false, format.output));
        }
      }
    }
  }
}

TEST(VectorUnit, TakesItsLanesACycle) {
  const VectorUnit unit{hw::VectorUnitConfig{16}};
  EXPECT_EQ(unit.issue_cycles(12544), 784);
  EXPECT_EQ(unit.issue_cycles(17), 2);
}

TEST(VectorUnit, RefusesNoLanes) {
  EXPECT_THROW(VectorUnit{hw::VectorUnitConfig{0}}, std::invalid_argument);
}

TEST(VectorUnit, CountsItsActions) {
  const VectorUnit unit{hw::VectorUnitConfig{}};
  const auto key = [](Action action, int a, int b = 0) {
    return Activity::Key{0, Component::vector_unit, action, a, b};
  };
  Activity activity;
  AddFormat add;
  add.second.bits = 6;
  unit.count_add(activity, 0, add, 10);
  EXPECT_EQ(activity.counts().at(key(Action::multiply, 8, 16)), 10);
  EXPECT_EQ(activity.counts().at(key(Action::multiply, 6, 16)), 10);
  EXPECT_EQ(activity.counts().at(key(Action::shift, 48)), 30);
  EXPECT_EQ(activity.counts().at(key(Action::add, 48)), 20);
  activity.clear();
  PoolFormat pool;
  pool.kernel = 7;
  pool.channels = 64;
  unit.count_pool(activity, 0, pool);
  // 49 elements of 8 bits: sums of 14 bits.
  EXPECT_EQ(activity.counts().at(key(Action::add, 14)), 64 * 48);
  EXPECT_EQ(activity.counts().at(key(Action::multiply, 14, 16)), 64);
  EXPECT_EQ(activity.counts().at(key(Action::add, 48)), 128);
  EXPECT_EQ(activity.counts().at(key(Action::shift, 48)), 64);
}

}  // namespace
}  // namespace abacus::models
