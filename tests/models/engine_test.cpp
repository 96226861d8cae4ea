#include "models/array/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include "models/array/shadow_engine.hpp"
#include "models/array/stepwise_engine.hpp"
#include "models/array/vector_engine.hpp"
#include "models/simd/aligned_buffer.hpp"
#include "tests/support/sampled.hpp"
#include "tests/tlm/random_element.hpp"

namespace abacus::models {
namespace {

using ::testing::HasSubstr;

// A random tile with its weights and operands.
struct TileCase {
  TapFormat format;
  hw::ArrayTile tile{};
  int stride = 1;
  int accumulator_bits = 24;
  hw::PeArrayConfig array;
  std::vector<std::uint8_t> packed;
  std::vector<int> activations;  // [row][position][channel]

  int seen_channels() const { return tile.depthwise ? tile.columns : tile.channels; }
  int operand_rows() const { return (tile.output_height - 1) * stride + tile.kernel; }
  TapGeometry geometry() const {
    const WeightShape shape = weight_shape(tile);
    return {tile.kernel, stride, shape.channel_groups(), shape.column_blocks(), tile.output_width};
  }
  TileWeights weights() const {
    return {format, tile, hw::dataflow(array.dataflow).accumulation_order(array, tile),
            packed.data()};
  }
};

// Some of which split into planes while others do not.
const hw::ElementTable& some_element(int number) {
  static const std::vector<hw::ElementTable> elements = [] {
    std::vector<hw::ElementTable> all;
    for (std::uint64_t seed = 0; seed < 40; ++seed) all.push_back(test::random_element(seed));
    return all;
  }();
  return elements[static_cast<std::size_t>(number) % elements.size()];
}

TapFormat random_format(std::mt19937& random) {
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  TapFormat f;
  f.kind =
      hw::tap_kinds[static_cast<std::size_t>(pick(0, static_cast<int>(hw::tap_kinds.size()) - 1))]
          .kind;
  f.weight_bits = pick(2, 8);
  f.activation_bits = pick(2, 8);
  f.weight_signed = pick(0, 1) != 0;
  f.activation_signed = pick(0, 1) != 0;
  if (f.kind == hw::TapKind::sign_product) {
    f.weight_bits = f.activation_bits = 1;
    f.weight_signed = f.activation_signed = true;
  }
  if (f.kind == hw::TapKind::tabulated) {
    f.element = &some_element(pick(0, 1000));
    f.set_operands(*f.element);
  }
  if (f.kind == hw::TapKind::absolute_difference) {
    (pick(0, 1) != 0 ? f.weight_shift : f.activation_shift) = pick(0, 1);
  }
  if (f.exponents()) {
    f.weight_signed = true;
    f.levels = pick(1, (1 << (f.weight_bits - 1)) - 1);
    f.fraction_bits = pick(0, 8);
    f.first_term_bits = std::max(1, std::max(f.weight_bits - 5, (f.weight_bits - 1) / 2));
    for (std::int8_t& term : f.terms) term = static_cast<std::int8_t>(pick(-1, 9));
  }
  return f;
}

TileCase random_tile(std::mt19937& random) {
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  TileCase c;
  c.format = random_format(random);
  c.array.rows = pick(1, 20);
  c.array.columns = pick(1, 20);
  // As often as not so narrow that sums saturate.
  c.accumulator_bits = pick(0, 1) != 0 ? 32 : pick(8, 16);
  const bool depthwise = pick(0, 4) == 0;
  c.tile = {pick(1, 4),
            pick(1, 5),
            pick(1, 3),
            depthwise ? 1 : pick(1, 40),
            pick(1, hw::dataflow(c.array.dataflow).most_columns(c.array, depthwise)),
            depthwise};
  c.stride = pick(1, 2);
  c.packed.resize(weight_shape(c.tile).packed_bytes(c.format.weight_bits));
  // Fields of channels past the last hold rubbish that must not count.
  for (std::uint8_t& byte : c.packed) byte = static_cast<std::uint8_t>(random());
  const int positions = c.operand_rows() * c.geometry().operand_width();
  const bool signs = c.format.kind == hw::TapKind::sign_product;
  for (int i = 0; i < positions * c.seen_channels(); ++i) {
    c.activations.push_back(
        signs ? 2 * pick(0, 1) - 1
              : pick(c.format.lowest_activation(), c.format.highest_activation()));
  }
  return c;
}

struct Sums {
  std::vector<std::int32_t> values;  // [row][x][column]
  std::int64_t saturations = 0;
};

// The rows in two blocks.
Sums run(Engine& engine, const TileCase& c) {
  const OperandLayout layout = engine.layout(c.format);
  engine.load(c.weights());
  const TapGeometry geometry = c.geometry();
  const int padded = geometry.channel_groups * 8;
  const int positions = c.operand_rows() * geometry.operand_width();
  AlignedBuffer<std::uint8_t> operands;
  std::uint8_t* bytes =
      operands.reserve(static_cast<std::size_t>(positions) * padded * (layout.wide ? 2 : 1));
  for (int i = 0; i < positions; ++i) {
    for (int channel = 0; channel < padded; ++channel) {
      const std::size_t at = static_cast<std::size_t>(i) * padded + channel;
      const int seen = c.seen_channels();
      const int activation =
          channel < seen ? c.activations[static_cast<std::size_t>(i) * seen + channel] : 0;
      const int operand = activation * (1 << layout.activation_shift) + layout.zero;
      if (layout.wide) {
        reinterpret_cast<std::int16_t*>(bytes)[at] = static_cast<std::int16_t>(operand);
      } else {
        bytes[at] = static_cast<std::uint8_t>(operand);
      }
    }
  }
  engine.take({bytes, layout, geometry, c.operand_rows()});
  const int stride = (c.tile.columns + 7) / 8 * 8;
  const int width = c.tile.output_width;
  Sums sums;
  for (const auto& [first, rows] : {std::pair{0, 1}, std::pair{1, c.tile.output_height - 1}}) {
    if (rows == 0) continue;
    AlignedBuffer<std::int32_t> buffer;
    std::int32_t* block = buffer.reserve(static_cast<std::size_t>(rows) * width * stride);
    engine.accumulate(first, rows, block, sums.saturations);
    for (int pixel = 0; pixel < rows * width; ++pixel) {
      const std::int32_t* begin = block + pixel * stride;
      sums.values.insert(sums.values.end(), begin, begin + c.tile.columns);
    }
  }
  return sums;
}

class Engines : public ::testing::TestWithParam<CpuTarget> {};

TEST_P(Engines, AgreeInEveryAccumulatorAndSaturation) {
  std::mt19937 random(11);
  std::int64_t saturations = 0;
  const int cases = test::sampled(1500);
  for (int i = 0; i < cases; ++i) {
    const TileCase c = random_tile(random);
    SCOPED_TRACE("case " + std::to_string(i) + " of " +
                 std::string(hw::row_of(c.format.kind).arithmetic));
    const auto shadow = make_engine("shadow", c.accumulator_bits, GetParam());
    Sums shadowed;
    ASSERT_NO_THROW(shadowed = run(*shadow, c));
    // Alone, each has its own operands.
    const Sums vector = run(*make_engine("vector", c.accumulator_bits, GetParam()), c);
    const Sums stepwise = run(*make_engine("stepwise", c.accumulator_bits, GetParam()), c);
    ASSERT_EQ(vector.values, stepwise.values);
    ASSERT_EQ(vector.values, shadowed.values);
    ASSERT_EQ(vector.saturations, stepwise.saturations);
    ASSERT_EQ(vector.saturations, shadowed.saturations);
    saturations += vector.saturations;
  }
  EXPECT_GT(saturations, cases / 2);
}

INSTANTIATE_TEST_SUITE_P(Targets, Engines, ::testing::ValuesIn(supported_cpu_targets()),
                         [](const auto& given) { return to_string(given.param); });

// One accumulator, or the count of saturations, is not the array's.
class WrongEngine : public StepwiseEngine {
 public:
  WrongEngine(int accumulator_bits, int place, std::int64_t more_saturations)
      : StepwiseEngine(accumulator_bits), place_(place), more_saturations_(more_saturations) {}

  void accumulate(int first_row, int rows, std::int32_t* accumulators,
                  std::int64_t& saturations) override {
    StepwiseEngine::accumulate(first_row, rows, accumulators, saturations);
    if (place_ >= 0) accumulators[place_] ^= 1;
    saturations += more_saturations_;
  }

 private:
  int place_;
  std::int64_t more_saturations_;
};

TileCase small_tile() {
  TileCase c;
  c.tile = {2, 3, 1, 5, 6};
  c.packed.assign(weight_shape(c.tile).packed_bytes(8), 7);
  c.activations.assign(static_cast<std::size_t>(2 * 3 * 5), 9);
  return c;
}

std::string difference_found(std::unique_ptr<Engine> wrong) {
  ShadowEngine shadow(make_engine("vector", 24, best_cpu_target()), std::move(wrong));
  try {
    run(shadow, small_tile());
  } catch (const EngineDifference& difference) {
    return difference.what();
  }
  return "none";
}

TEST(ShadowEngine, NamesTheAccumulatorThatDiffers) {
  EXPECT_EQ(difference_found(std::make_unique<StepwiseEngine>(24)), "none");
  // Pixel 2 of a row, channel 4; 5 channels of |9 − 7| make 10.
  EXPECT_EQ(
      difference_found(std::make_unique<WrongEngine>(24, 2 * 8 + 4, 0)),
      "accumulator at row 0, column 2, channel 4 of the tile is 10; the shadow engine has 11");
  // What stands behind the last column is nobody's.
  EXPECT_EQ(difference_found(std::make_unique<WrongEngine>(24, 2 * 8 + 6, 0)), "none");
}

TEST(ShadowEngine, HoldsTheCountsOfSaturationsAgainstEachOther) {
  EXPECT_THAT(difference_found(std::make_unique<WrongEngine>(24, -1, 3)),
              HasSubstr("saturated 0 times; the shadow engine counts 3"));
}

TEST(Engine, UnknownOnesAreRefused) {
  for (const std::string& name : engine_names()) {
    EXPECT_NE(make_engine(name, 24, best_cpu_target()), nullptr) << name;
  }
  try {
    make_engine("verilog", 24, best_cpu_target());
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"verilog\"; allowed: vector, stepwise, shadow"));
  }
}

}  // namespace
}  // namespace abacus::models
