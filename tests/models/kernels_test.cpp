// The tap kernels alone, for each instruction set of this processor.
#include "models/array/kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <random>
#include <tuple>
#include <vector>

#include "models/array/lookups/tap_lookup.hpp"
#include "models/array/parts/parts_tile.hpp"
#include "models/array/parts/tap_parts.hpp"
#include "models/array/tap_table.hpp"
#include "models/elements/processing_element.hpp"
#include "models/simd/aligned_buffer.hpp"
#include "tests/tlm/random_element.hpp"

namespace abacus::models {
namespace {

// |a − w| or a·w as docs/arithmetic.md states it.
int tap_by_the_book(const TapFormat& f, int a, int w) {
  if (f.kind != hw::TapKind::absolute_difference) return a * w;
  return std::abs(a * (1 << f.activation_shift) - w * (1 << f.weight_shift));
}

bool allowed(const TapFormat& f) {
  const int a = std::max(-f.lowest_activation(), f.highest_activation()) << f.activation_shift;
  const int w = std::max(-f.lowest_weight(), f.highest_weight()) << f.weight_shift;
  return a <= 512 && w <= 512;
}

TapFormat signs() {
  TapFormat f;
  f.kind = hw::TapKind::sign_product;
  f.weight_bits = f.activation_bits = 1;
  f.activation_signed = true;
  return f;
}

// What a weight's field holds, as tlm/command.hpp states it.
int weight_by_the_book(const TapFormat& f, int field) {
  if (f.kind == hw::TapKind::sign_product) return field == 1 ? 1 : -1;
  return f.weight_signed && field >= 1 << (f.weight_bits - 1) ? field - (1 << f.weight_bits)
                                                              : field;
}

// Every format that docs/arithmetic.md allows.
std::vector<TapFormat> all_formats() {
  std::vector<TapFormat> formats{signs()};
  for (int bits = 0; bits < 49; ++bits) {
    for (int signs = 0; signs < 4; ++signs) {
      TapFormat f;
      f.weight_bits = 2 + bits / 7;
      f.activation_bits = 2 + bits % 7;
      f.weight_signed = signs % 2;
      f.activation_signed = signs / 2;
      f.kind = hw::TapKind::product;
      formats.push_back(f);
      f.kind = hw::TapKind::absolute_difference;
      for (int shift = 0; shift <= 7; ++shift) {
        f.weight_shift = shift;
        f.activation_shift = 0;
        if (allowed(f)) formats.push_back(f);
        std::swap(f.weight_shift, f.activation_shift);
        if (shift != 0 && allowed(f)) formats.push_back(f);
      }
    }
  }
  return formats;
}

TEST(TapPlan, EveryTapOfEveryFormat) {
  for (const CpuTarget target : supported_cpu_targets()) {
    for (const TapFormat& f : all_formats()) {
      const TapPlan plan = plan_taps(f, target);
      const int largest_operand = plan.wide() ? 32767 : 255;
      int largest = 0;
      for (int field = 0; field < 1 << f.weight_bits; ++field) {
        const int w = weight_by_the_book(f, field);
        const int step = f.kind == hw::TapKind::sign_product ? 2 : 1;  // no zero between the signs
        for (int a = f.lowest_activation(); a <= f.highest_activation(); a += step) {
          const int operand = a * (1 << plan.activation_shift) + plan.zero;
          ASSERT_LE(operand, largest_operand);
          ASSERT_GE(operand, plan.wide() ? -32768 : 0);
          int tap = 0;
          switch (plan.kernel) {
            case TapKernel::difference8:
              tap = std::abs(operand - plan.weight8[field]);
              break;
            case TapKernel::difference16:
              tap = std::abs(operand - plan.weight16[field]);
              break;
            case TapKernel::product8:
              tap = operand * static_cast<std::int8_t>(plan.weight8[field]);
              break;
            case TapKernel::product16:
              tap = operand * plan.weight16[field];
              break;
          }
          if (plan.corrected) {
            tap += plan.correction_scale *
                       (plan.correction_low[field] + 256 * plan.correction_high[field]) +
                   plan.correction_base;
          }
          ASSERT_EQ(tap, tap_by_the_book(f, a, w))
              << "a " << a << " w " << w << " weight bits " << f.weight_bits << " shift "
              << f.weight_shift << " activation bits " << f.activation_bits << " shift "
              << f.activation_shift;
          ASSERT_EQ(processing_element(f.kind).tap(f, a, w), tap_by_the_book(f, a, w));
          largest = std::max(largest, std::abs(tap));
        }
      }
      ASSERT_EQ(processing_element(f.kind).largest_tap(f), largest);
    }
  }
}

// Every width, fractions from none to the most, exponents up to 10 and up to 30.
std::vector<TapFormat> exponent_formats() {
  std::vector<TapFormat> formats;
  for (int bits = 0; bits < 49; ++bits) {
    for (const bool is_signed : {false, true}) {
      for (const int fraction : {0, 1, 4, 8, 12}) {
        TapFormat f;
        f.weight_bits = 2 + bits / 7;
        f.activation_bits = 2 + bits % 7;
        f.activation_signed = is_signed;
        f.fraction_bits = fraction;
        f.levels = (1 << (f.weight_bits - 1)) - 1;
        f.kind = hw::TapKind::shifted;
        formats.push_back(f);
        f.kind = hw::TapKind::half_shifted;
        formats.push_back(f);
        f.levels = (f.levels + 1) / 2;
        formats.push_back(f);
        f.levels = (1 << (f.weight_bits - 1)) - 1;
        f.kind = hw::TapKind::twice_shifted;
        f.first_term_bits = f.weight_bits / 2;
        for (int i = 0; i < 2 * hw::term_exponents; ++i) {
          f.terms[static_cast<std::size_t>(i)] =
              static_cast<std::int8_t>((i * 7 + bits) % (bits % 2 == 0 ? 12 : 32) - 1);
        }
        formats.push_back(f);
      }
    }
  }
  return formats;
}

// |a| times the weight's value in units of 2^−fraction_bits, each shift towards zero, each table entry
// to the nearest.
int exponent_tap_by_the_book(const TapFormat& f, int a, int code) {
  const int magnitude = std::abs(code);
  if (magnitude == 0 || magnitude > f.levels) return 0;
  const auto shifted = [&](int exponent) {
    return static_cast<int>(std::floor(std::ldexp(std::abs(a), f.fraction_bits - exponent)));
  };
  int value = 0;
  switch (f.kind) {
    case hw::TapKind::shifted:
      value = shifted(magnitude - 1);
      break;
    case hw::TapKind::half_shifted:
      value = magnitude % 2 == 1
                  ? shifted((magnitude - 1) / 2)
                  : static_cast<int>(std::lround(std::abs(a) * std::exp2(f.fraction_bits) *
                                                 std::exp2(-(magnitude - 1) / 2.0)));
      break;
    default: {
      const int first = 1 << f.first_term_bits;
      for (const int exponent : {f.terms[static_cast<std::size_t>(magnitude % first)],
                                 f.terms[static_cast<std::size_t>(16 + magnitude / first)]}) {
        if (exponent >= 0) value += shifted(exponent);
      }
    }
  }
  return value * ((a < 0) != (code < 0) ? -1 : 1);
}

// What the parts of a weight's tap add up to.
std::int64_t sum_of_parts(const TapParts& parts, int field, int a, int zero) {
  const auto at = static_cast<std::size_t>(field);
  std::int64_t sum = 0;
  for (const TapParts::Digit& digit : parts.digits()) {
    sum = sum * (std::int64_t{1} << digit.shift) + digit.value[at] * a;
  }
  sum *= std::int64_t{1} << parts.pass_shift();
  const auto operand = static_cast<std::size_t>(static_cast<std::uint8_t>(a + zero));
  for (const TapParts::Pass& pass : parts.passes()) {
    sum += pass.multiplier[at] * pass.bytes[operand * pass.entries + pass.entry[at]];
  }
  return sum + parts.constants()[at];
}

TEST(TapParts, MakeEveryTapOfEveryFormat) {
  for (const TapFormat& f : exponent_formats()) {
    const int zero = f.activation_signed ? 128 : 0;
    const TapParts narrow = TapParts::split(f, {8, 4, 8}, zero).value();
    const TapParts wide = TapParts::split(f, {16, 4, 16}, 0).value();
    const TapTable table(f);
    int largest = 0;
    for (int field = 0; field < 1 << f.weight_bits; ++field) {
      const int code = f.decode_weight(field);
      int bound = 0;
      for (int a = f.lowest_activation(); a <= f.highest_activation(); ++a) {
        const int wanted = exponent_tap_by_the_book(f, a, code);
        ASSERT_EQ(sum_of_parts(narrow, field, a, zero), wanted)
            << "a " << a << " code " << code << " levels " << f.levels << " fraction "
            << f.fraction_bits;
        ASSERT_EQ(sum_of_parts(wide, field, a, 0), wanted);
        ASSERT_EQ(table(a, code), wanted);
        ASSERT_EQ(processing_element(f.kind).tap(f, a, code), wanted);
        bound = std::max(bound, std::abs(wanted));
      }
      ASSERT_EQ(narrow.bounds()[static_cast<std::size_t>(field)], bound);
      largest = std::max(largest, bound);
    }
    ASSERT_EQ(processing_element(f.kind).largest_tap(f), largest);
    for (const TapParts::Digit& digit : narrow.digits()) {
      for (const int value : digit.value) ASSERT_LE(std::abs(value), 127);
    }
    if (f.kind == hw::TapKind::shifted && f.levels - 1 <= f.fraction_bits) {
      ASSERT_TRUE(narrow.passes().empty()) << "nothing is dropped";
      ASSERT_TRUE(wide.passes().empty());
    }
  }
}

TapFormat format_of(const hw::ElementTable& element) {
  TapFormat f;
  f.kind = hw::TapKind::tabulated;
  f.set_operands(element);
  f.element = &element;
  return f;
}

// Of any table: the parts make every tap, or there are none.
TEST(TapParts, MakeEveryTapOfATableOrNone) {
  int split = 0;
  int not_split = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const hw::ElementTable element = test::random_element(seed);
    const TapFormat f = format_of(element);
    const int zero = seed % 3 == 0 ? -f.lowest_activation() : f.activation_signed ? 128 : 0;
    const TapParts::Limits limits{seed % 2 == 0 ? 8 : 16, seed % 5, seed % 2 == 0 ? 8 : 16};
    const std::optional<TapParts> parts = TapParts::split(f, limits, zero);
    ++(parts ? split : not_split);
    if (!parts) continue;
    ASSERT_LE(parts->passes().size(), limits.passes);
    for (int w = element.lowest_weight(); w <= element.highest_weight(); ++w) {
      const int field = w & (element.rows() - 1);
      for (int a = element.lowest_activation(); a <= element.highest_activation(); ++a) {
        ASSERT_EQ(sum_of_parts(*parts, field, a, zero), element.tap(a, w))
            << "seed " << seed << " a " << a << " w " << w;
      }
    }
  }
  EXPECT_GT(split, 50);
  EXPECT_GT(not_split, 50);
}

// Multiples of 300 times a weight do not fit a digit of 16 bits, nor two of 8.
TEST(TapParts, AreNoneWhereMultiplesAreTooLarge) {
  const hw::ElementTable element =
      test::element_of({8, true, 8, false}, [](int a, int w) { return 300 * a * w; });
  EXPECT_FALSE(TapParts::split(format_of(element), {8, 4, 8}, 0));
  EXPECT_FALSE(TapParts::split(format_of(element), {16, 4, 16}, 0));
}

// By what is faster, not by kind.
TEST(TapTile, IsOfPartsWhereTheyAreFew) {
  const test::ElementOperands narrow{4, true, 4, false};
  const test::ElementOperands wide{8, true, 8, false};
  std::mt19937 random(3);
  const auto disorder = [&](int, int) { return static_cast<std::int32_t>(random() % 256); };
  const hw::ElementTable few = test::element_of(narrow, disorder);
  const hw::ElementTable many = test::element_of(wide, disorder);
  const hw::ElementTable products = test::product_element(wide);
  for (const CpuTarget target : supported_cpu_targets()) {
    const bool vectors = target != CpuTarget::portable;
    EXPECT_EQ(PartsTile::make(format_of(few), target) != nullptr, vectors);
    EXPECT_EQ(PartsTile::make(format_of(many), target), nullptr);
    EXPECT_NE(PartsTile::make(format_of(products), target), nullptr);
  }
}

class Lookups : public ::testing::TestWithParam<CpuTarget> {};

// Windows of 300 taps and more pass what 16-bit sums of bytes hold.
TEST_P(Lookups, SumEveryTableOverEveryWindow) {
  std::mt19937 random(9);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const hw::ElementTable element = test::random_element(seed);
    const TapLookup lookup(format_of(element));
    for (int w = element.lowest_weight(); w <= element.highest_weight(); ++w) {
      const int field = w & (element.rows() - 1);
      int rise = 0;
      int fall = 0;
      for (int a = element.lowest_activation(); a <= element.highest_activation(); ++a) {
        rise = std::max(rise, element.tap(a, w));
        fall = std::max(fall, -element.tap(a, w));
      }
      ASSERT_EQ(lookup.rise(field), rise);
      ASSERT_EQ(lookup.fall(field), fall);
    }
    const int kernel = pick(1, 4), stride = pick(1, 3);
    const int channels = seed % 4 == 0 ? 40 : pick(1, 20);
    const int width = pick(1, 40), rows = pick(1, 4);
    const TapGeometry geometry{kernel, stride, (channels + 7) / 8, 1, width};
    const int operand_rows = (rows - 1) * stride + kernel;
    std::vector<std::uint8_t> operands(static_cast<std::size_t>(geometry.operand_row()) *
                                       operand_rows);
    for (std::uint8_t& operand : operands) {
      operand = static_cast<std::uint8_t>(pick(0, element.columns() - 1));
    }
    std::vector<std::uint8_t> fields(static_cast<std::size_t>(channels * kernel * kernel));
    for (std::uint8_t& field : fields) {
      field = static_cast<std::uint8_t>(pick(0, element.rows() - 1));
    }
    LookupColumns columns;
    columns.take(geometry, channels, operand_rows, operands.data());
    const int first = pick(0, rows - 1);
    const std::uint8_t* gathered = columns.gather(first, rows - first);
    AlignedBuffer<std::int32_t> sums;
    sums.reserve(columns.positions());
    sum_lookups(GetParam(), lookup, gathered, columns.positions(), fields.data(), fields.size(),
                sums.data());
    for (int y = first; y < rows; ++y) {
      for (int x = 0; x < width; ++x) {
        std::uint32_t sum = 0;
        std::size_t tap = 0;
        for (int c = 0; c < channels; ++c) {
          for (int ky = 0; ky < kernel; ++ky) {
            for (int kx = 0; kx < kernel; ++kx, ++tap) {
              const std::size_t place =
                  (static_cast<std::size_t>(y * stride + ky) * geometry.operand_width() +
                   static_cast<std::size_t>(x * stride + kx)) *
                      geometry.channel_groups * 8 +
                  static_cast<std::size_t>(c);
              // Fields of negative weights are the upper half of the codes.
              const int row =
                  element.weight_signed ? fields[tap] ^ (element.rows() / 2) : fields[tap];
              sum += static_cast<std::uint32_t>(
                  element
                      .taps[static_cast<std::size_t>(row * element.columns()) + operands[place]]);
            }
          }
        }
        ASSERT_EQ(sums.data()[(y - first) * width + x], static_cast<std::int32_t>(sum))
            << "seed " << seed << " row " << y << " x " << x;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Lookups, ::testing::ValuesIn(supported_cpu_targets()),
                         [](const auto& instance) { return to_string(instance.param); });

// What the speed of the kernels rests on: POST at 8 bits takes one digit and one pass.
TEST(TapParts, AreFew) {
  TapFormat f;
  f.kind = hw::TapKind::half_shifted;
  f.fraction_bits = 8;
  f.levels = 127;
  const TapParts post = TapParts::split(f, {8, 1, 8}, 0).value();
  EXPECT_EQ(post.digits().size(), 1u);
  ASSERT_EQ(post.passes().size(), 1u);
  EXPECT_EQ(post.passes()[0].entries, 32);
  f.weight_bits = f.activation_bits = 4;
  f.levels = 7;
  f.fraction_bits = 3;
  EXPECT_EQ(TapParts::split(f, {8, 1, 8}, 0).value().passes().at(0).entries, 8);
  EXPECT_EQ(TapParts::split(f, {16, 1, 16}, 0).value().passes().at(0).entries, 16);
}

// Shapes: kernel, stride, channels, columns, output width.
using Shape = std::tuple<int, int, int, int, int>;

class TapKernels : public ::testing::TestWithParam<CpuTarget> {
 protected:
  void compare(const TapFormat& f, const Shape& shape, std::mt19937& random) {
    const auto [kernel, stride, channels, columns, width] = shape;
    constexpr int rows = 2;
    const WeightShape weights{kernel * kernel, channels, columns};
    const TapGeometry geometry{kernel, stride, weights.channel_groups(), weights.column_blocks(),
                               width};
    const TapPlan plan = plan_taps(f, GetParam());

    std::vector<int> fields(static_cast<std::size_t>(weights.taps) * weights.channel_groups() *
                            columns * 8);
    for (int& field : fields) field = static_cast<int>(random() % (1u << f.weight_bits));
    // Packed fields end with the vector: a read past it would be found by a memory checker. Fields
    // of channels past the last hold rubbish that must not count.
    std::vector<std::uint8_t> packed(weights.packed_bytes(f.weight_bits));
    for (std::size_t i = 0; i < fields.size(); ++i) {
      for (int b = 0; b < f.weight_bits; ++b) {
        const std::size_t bit = i * f.weight_bits + b;
        packed[bit / 8] |= static_cast<std::uint8_t>((fields[i] >> b & 1) << bit % 8);
      }
    }
    const int operand_rows = (rows - 1) * stride + kernel;
    const std::size_t elements = static_cast<std::size_t>(geometry.operand_row()) * operand_rows;
    std::vector<int> activations(elements);
    AlignedBuffer<std::uint8_t> operands, blocks;
    operands.reserve(elements * plan.operand_bytes());
    for (std::size_t i = 0; i < elements; ++i) {
      const int step = f.kind == hw::TapKind::sign_product ? 2 : 1;
      const int range = (f.highest_activation() - f.lowest_activation()) / step + 1;
      const bool padded = static_cast<int>(i % (geometry.channel_groups * 8)) >= channels;
      activations[i] = padded
                           ? 0
                           : f.lowest_activation() +
                                 step * static_cast<int>(random() % static_cast<unsigned>(range));
      const int operand = activations[i] * (1 << plan.activation_shift) + plan.zero;
      if (plan.wide()) {
        reinterpret_cast<std::int16_t*>(operands.data())[i] = static_cast<std::int16_t>(operand);
      } else {
        operands.data()[i] = static_cast<std::uint8_t>(operand);
      }
    }
    AlignedBuffer<std::int32_t> corrections, accumulators;
    const int stride_out = geometry.column_blocks * 8;
    blocks.reserve(weights.block_elements() * plan.operand_bytes());
    corrections.reserve(static_cast<std::size_t>(stride_out));
    accumulators.reserve(static_cast<std::size_t>(rows) * width * stride_out);
    unpack_weights(GetParam(), plan, weights, packed.data(), blocks.data(), corrections.data());
    accumulate(GetParam(), plan.kernel, geometry, rows, operands.data(), blocks.data(),
               corrections.data(), accumulators.data());

    for (int y = 0; y < rows; ++y) {
      for (int x = 0; x < width; ++x) {
        for (int column = 0; column < columns; ++column) {
          int sum = 0;
          for (int tap = 0; tap < weights.taps; ++tap) {
            for (int channel = 0; channel < channels; ++channel) {
              const int field =
                  fields[((static_cast<std::size_t>(tap) * weights.channel_groups() + channel / 8) *
                              columns +
                          column) *
                             8 +
                         channel % 8];
              const int a = activations[(static_cast<std::size_t>(y * stride + tap / kernel) *
                                             geometry.operand_width() +
                                         x * stride + tap % kernel) *
                                            geometry.channel_groups * 8 +
                                        channel];
              sum += tap_by_the_book(f, a, weight_by_the_book(f, field));
            }
          }
          ASSERT_EQ(
              accumulators.data()[(static_cast<std::size_t>(y) * width + x) * stride_out + column],
              sum)
              << "kernel " << kernel << " stride " << stride << " channels " << channels
              << " columns " << columns << " x " << x << " column " << column << " weight bits "
              << f.weight_bits << " " << f.weight_signed << " activation bits " << f.activation_bits
              << " " << f.activation_signed;
        }
      }
    }
  }
};

TEST_P(TapKernels, EveryFormat) {
  std::mt19937 random(1);
  for (const TapFormat& f : all_formats()) compare(f, {3, 1, 11, 10, 5}, random);
}

TEST_P(TapKernels, SumsBySign) {
  std::mt19937 random(5);
  for (int columns = 1; columns <= 18; ++columns) {
    TapFormat f;
    f.kind = hw::TapKind::product;
    f.weight_signed = columns % 5 != 0;
    const WeightShape shape{9, 10, columns};
    const TapPlan plan = plan_taps(f, GetParam());
    std::vector<std::uint8_t> packed(shape.packed_bytes(8));
    for (auto& byte : packed) byte = static_cast<std::uint8_t>(random() % 4 ? random() : 128);
    AlignedBuffer<std::uint8_t> blocks;
    AlignedBuffer<std::int32_t> corrections;
    blocks.reserve(shape.block_elements() * plan.operand_bytes());
    corrections.reserve(24);
    unpack_weights(GetParam(), plan, shape, packed.data(), blocks.data(), corrections.data());
    std::vector<std::int64_t> positive(static_cast<std::size_t>(columns)), negative = positive;
    sum_by_sign(GetParam(), plan.kernel, shape, blocks.data(), positive.data(), negative.data());
    std::vector<std::int64_t> above(positive.size()), below(positive.size());
    for (std::size_t i = 0; i < packed.size(); ++i) {
      const std::size_t column = i / 8 % static_cast<std::size_t>(columns);
      const bool second_group = i / 8 / static_cast<std::size_t>(columns) % 2;
      if (second_group && i % 8 >= 2) continue;  // past channel 10
      const int w = f.decode_weight(packed[i]);
      (w > 0 ? above : below)[column] += std::abs(w);
    }
    EXPECT_EQ(positive, above);
    EXPECT_EQ(negative, below);
  }
}

TEST_P(TapKernels, EveryOutputWidth) {
  std::mt19937 random(2);
  for (const auto kind : {hw::TapKind::absolute_difference, hw::TapKind::product}) {
    TapFormat f;
    f.kind = kind;
    for (int width = 1; width <= 45; ++width) {
      compare(f, {3, 1, 8, 16, width}, random);
      compare(f, {1, 2, 24, 8, width}, random);
    }
  }
}

TEST_P(TapKernels, EveryColumnCount) {
  std::mt19937 random(3);
  for (const auto kind : {hw::TapKind::absolute_difference, hw::TapKind::product}) {
    TapFormat f;
    f.kind = kind;
    f.weight_bits = 5;
    f.activation_signed = true;
    for (int columns = 1; columns <= 41; ++columns) compare(f, {3, 2, 9, columns, 15}, random);
  }
  for (int columns = 1; columns <= 41; ++columns) {
    compare(signs(), {3, 2, 9, columns, 15}, random);
  }
}

TEST_P(TapKernels, EveryChannelCount) {
  std::mt19937 random(4);
  for (const auto kind : {hw::TapKind::absolute_difference, hw::TapKind::product}) {
    TapFormat f;
    f.kind = kind;
    f.weight_bits = 3;
    f.activation_signed = true;
    for (int channels = 1; channels <= 33; ++channels) {
      compare(f, {5, 1, channels, 16, 14}, random);
    }
  }
  for (int channels = 1; channels <= 33; ++channels) {
    compare(signs(), {5, 1, channels, 16, 14}, random);
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, TapKernels, ::testing::ValuesIn(supported_cpu_targets()),
                         [](const auto& instance) { return to_string(instance.param); });

TEST(AlignedBuffer, IsAlignedAndKeepsItsMemory) {
  AlignedBuffer<std::int32_t> buffer;
  const std::int32_t* first = buffer.reserve(100);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % 64, 0u);
  EXPECT_EQ(buffer.reserve(50), first);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.reserve(1000)) % 64, 0u);
}

}  // namespace
}  // namespace abacus::models
