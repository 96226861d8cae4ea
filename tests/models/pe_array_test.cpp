#include "models/array/pe_array.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace abacus::models {
namespace {

hw::PeArrayConfig authors() {
  hw::PeArrayConfig config;
  config.rows = config.columns = 16;
  return config;
}

TEST(PeArray, AuthorsKernelTakes7062Cycles) {
  // Wang et al., arXiv 2101.10015: 28 × 28 × 16 → 16, 3 × 3, 16 × 16 lanes.
  const PeArray array(Component::pe_array, authors());
  const hw::ArrayTile tile{28, 28, 3, 16, 16};
  EXPECT_EQ(array.issue_cycles(tile), 7056);
  EXPECT_EQ(array.pipeline_depth(), 6);
  EXPECT_EQ(array.cycles(tile), 7062);
}

TEST(PeArray, DepthFollowsTheAdderTree) {
  const std::map<int, int> depths{{1, 2}, {2, 3}, {3, 4}, {4, 4}, {16, 6}, {17, 7}, {64, 8}};
  for (const auto& [rows, depth] : depths) {
    hw::PeArrayConfig config = authors();
    config.rows = rows;
    EXPECT_EQ(PeArray(Component::pe_array, config).pipeline_depth(), depth) << rows;
  }
}

TEST(PeArray, ChannelTilesAreRoundedUp) {
  const PeArray array(Component::pe_array, authors());
  EXPECT_EQ(array.issue_cycles({7, 7, 3, 64, 16}), 49 * 9 * 4);
  EXPECT_EQ(array.issue_cycles({7, 7, 3, 65, 16}), 49 * 9 * 5);
  EXPECT_EQ(array.issue_cycles({7, 7, 3, 1, 1}), 49 * 9);
}

TEST(PeArray, WeightsStayWhereTheyFit) {
  hw::PeArrayConfig config = authors();
  config.weights_per_pe = 36;
  const PeArray array(Component::pe_array, config);
  EXPECT_TRUE(array.weights_stay({7, 7, 3, 64, 16}));
  EXPECT_FALSE(array.weights_stay({7, 7, 3, 65, 16}));
}

using Counts = std::map<std::tuple<Action, int, int>, std::int64_t>;

Counts counts(const hw::PeArrayConfig& config, const TapFormat& format, const hw::ArrayTile& tile,
              bool filled) {
  Activity activity;
  PeArray(Component::pe_array, config).count(activity, 5, format, tile, filled);
  Counts found;
  for (const auto& [key, times] : activity.counts()) {
    EXPECT_EQ(key.layer, 5);
    EXPECT_EQ(key.component, Component::pe_array);
    found[{key.action, key.bits_a, key.bits_b}] = times;
  }
  return found;
}

TEST(PeArray, CountsAdderTaps) {
  TapFormat format;
  format.weight_bits = format.activation_bits = 4;
  format.weight_signed = false;
  hw::PeArrayConfig config = authors();
  config.rows = 4;
  // Two channel tiles: 4 and 2 lanes. 6 window positions, 3 columns.
  const Counts found = counts(config, format, {1, 6, 1, 6, 3}, true);
  const Counts wanted{
      {{Action::absolute_difference, 4, 0}, 6 * 3 * 6},
      // 4 lanes: 2 + 1 additions, of 5 and 6 bits; 2 lanes: 1 of 5 bits.
      {{Action::add, 5, 0}, 18 * (2 + 1)},
      {{Action::add, 6, 0}, 18},
      {{Action::add, 24, 0}, 18 * 2},
      {{Action::buffer_read, 4, 64}, 6 * 3 * 6},
      {{Action::buffer_write, 4, 64}, 6 * 3},
      {{Action::register_read, 24, 0}, 18 * 2},
      // Activations and taps are of 4 bits.
      {{Action::register_write, 4, 0}, 6 * 6 + 6 * 3 * 6},
      {{Action::register_write, 5, 0}, 18 * (2 + 1)},
      {{Action::register_write, 6, 0}, 18},
      {{Action::register_write, 24, 0}, 18 * 2},
  };
  EXPECT_EQ(found, wanted);
}

// Several accumulators are a memory; a weight that they share comes once and waits in two registers.
TEST(PeArray, CountsTheAccumulatorsOfAColumn) {
  TapFormat format;
  format.weight_bits = format.activation_bits = 4;
  format.weight_signed = false;
  hw::PeArrayConfig config = authors();
  config.rows = 4;
  config.accumulators = 4;
  const Counts found = counts(config, format, {1, 6, 1, 4, 3}, true);
  EXPECT_EQ(found.at({Action::buffer_read, 24, 4}), 18);
  EXPECT_EQ(found.at({Action::buffer_write, 24, 4}), 18);
  EXPECT_EQ(found.count({Action::register_write, 24, 0}), 0U);
  // 12 weights for 4 outputs, then for 2.
  EXPECT_EQ(found.at({Action::buffer_read, 4, 64}), 2 * 12);
  // Activations, taps; both registers of a weight.
  EXPECT_EQ(found.at({Action::register_write, 4, 0}), 6 * 4 + 6 * 3 * 4 + 2 * 2 * 12);
}

// One lane of a column works: no tree, a latch and a tap a column and position.
TEST(PeArray, CountsOneLaneOfAColumnInDepthwiseTiles) {
  TapFormat format;
  format.weight_bits = format.activation_bits = 4;
  format.weight_signed = false;
  const hw::ArrayTile tile{1, 6, 3, 1, 5, true};
  const Counts found = counts(authors(), format, tile, true);
  const Counts wanted{
      {{Action::absolute_difference, 4, 0}, 54 * 5},
      {{Action::add, 24, 0}, 54 * 5},
      {{Action::buffer_read, 4, 64}, 54 * 5},
      {{Action::buffer_write, 4, 64}, 9 * 5},
      {{Action::register_read, 24, 0}, 54 * 5},
      // Activations and taps.
      {{Action::register_write, 4, 0}, 54 * 5 + 54 * 5},
      {{Action::register_write, 24, 0}, 54 * 5},
  };
  EXPECT_EQ(found, wanted);
  EXPECT_EQ(PeArray(Component::pe_array, authors()).issue_cycles(tile), 54);
  EXPECT_EQ(tile.taps(), 54 * 5);
}

// Weights that do not stay pass their PEs through a latch, once a tap, and fill nothing.
TEST(PeArray, CountsWeightsThatStream) {
  TapFormat format;
  format.weight_bits = 4;
  format.activation_bits = 6;
  format.weight_signed = false;
  hw::PeArrayConfig config = authors();
  config.weights_per_pe = 8;
  const Counts found = counts(config, format, {3, 2, 3, 3, 5}, true);
  config.weights_per_pe = 9;
  const Counts stay = counts(config, format, {3, 2, 3, 3, 5}, true);
  const std::int64_t taps = 9 * 6 * 3 * 5;
  EXPECT_EQ(found.count({Action::buffer_read, 4, 8}), 0U);
  EXPECT_EQ(found.count({Action::buffer_write, 4, 8}), 0U);
  EXPECT_EQ(found.at({Action::register_write, 4, 0}), taps);
  EXPECT_EQ(stay.at({Action::buffer_read, 4, 9}), taps);
  EXPECT_EQ(stay.at({Action::buffer_write, 4, 9}), 9 * 3 * 5);
  EXPECT_EQ(stay.count({Action::register_write, 4, 0}), 0U);
}

TEST(PeArray, CountsProducts) {
  TapFormat format;
  format.kind = hw::TapKind::product;
  format.weight_bits = 4;
  format.activation_bits = 6;
  hw::PeArrayConfig config = authors();
  config.kind = "mac";
  const Counts found = counts(config, format, {2, 2, 3, 3, 16}, false);
  const std::int64_t sums = 36 * 16;
  EXPECT_EQ(found.at({Action::multiply, 6, 4}), sums * 3);
  EXPECT_EQ(found.at({Action::add, 11, 0}), sums);  // 3 lanes: one addition and a value passed on
  EXPECT_EQ(found.at({Action::add, 12, 0}), sums);
  EXPECT_EQ(found.at({Action::add, 24, 0}), sums);
  EXPECT_EQ(found.count({Action::absolute_difference, 6, 0}), 0u);
}

TEST(PeArray, CountsSigns) {
  TapFormat format;
  format.kind = hw::TapKind::sign_product;
  format.weight_bits = format.activation_bits = 1;
  format.activation_signed = true;
  hw::PeArrayConfig config = authors();
  config.kind = "xnor";
  config.rows = 4;
  config.weight_bits = config.activation_bits = 1;
  // Two channel tiles: 4 and 2 lanes. 6 window positions, 3 columns.
  const Counts found = counts(config, format, {1, 6, 1, 6, 3}, true);
  const Counts wanted{
      {{Action::xnor, 1, 0}, 6 * 3 * 6},
      // Counting: 4 lanes 2 + 1 additions of 2 and 3 bits, 2 lanes 1 of 2 bits. 2p − n: −4 … 4 has 4
      // bits, −2 … 2 has 3.
      {{Action::add, 2, 0}, 18 * (2 + 1)},
      {{Action::add, 3, 0}, 18 + 18},
      {{Action::add, 4, 0}, 18},
      {{Action::add, 24, 0}, 18 * 2},
      {{Action::buffer_read, 1, 64}, 6 * 3 * 6},
      {{Action::buffer_write, 1, 64}, 6 * 3},
      {{Action::register_read, 24, 0}, 18 * 2},
      // Activations and taps are of 1 bit.
      {{Action::register_write, 1, 0}, 6 * 6 + 6 * 3 * 6},
      {{Action::register_write, 2, 0}, 18 * (2 + 1)},
      {{Action::register_write, 3, 0}, 18},
      {{Action::register_write, 24, 0}, 18 * 2},
  };
  EXPECT_EQ(found, wanted);
}

TapFormat shift_format() {
  TapFormat format;
  format.kind = hw::TapKind::shifted;
  format.weight_bits = 5;
  format.activation_bits = 4;
  format.levels = 15;
  format.fraction_bits = 6;
  return format;
}

TEST(PeArray, CountsShifts) {
  hw::PeArrayConfig config = authors();
  config.kind = "shift";
  const Counts found = counts(config, shift_format(), {2, 2, 3, 3, 16}, false);
  const std::int64_t sums = 36 * 16;
  EXPECT_EQ(found.at({Action::shift, 10, 0}), sums * 3);  // 4 bits in a window of 4 + 6
  // ±15 · 2^6 has 10 bits and a sign.
  EXPECT_EQ(found.at({Action::add, 12, 0}), sums);
  EXPECT_EQ(found.at({Action::add, 13, 0}), sums);
  EXPECT_EQ(found.at({Action::buffer_read, 5, 64}), sums * 3);
  EXPECT_EQ(found.count({Action::multiply, 4, 5}), 0u);
}

TEST(PeArray, ShiftAddLanesCountTheUnitThatWorks) {
  hw::PeArrayConfig both = authors();
  both.kind = "shift-add";
  hw::PeArrayConfig shift = authors();
  shift.kind = "shift";
  const hw::ArrayTile tile{3, 4, 3, 20, 7};
  EXPECT_EQ(counts(both, shift_format(), tile, true), counts(shift, shift_format(), tile, true));
  TapFormat adder;
  adder.activation_signed = true;
  EXPECT_EQ(counts(both, adder, tile, true), counts(authors(), adder, tile, true));
}

TEST(PeArray, CountsTwoShiftsAndAnAdditionOfSumsOfPowers) {
  hw::PeArrayConfig config = authors();
  config.kind = "apot";
  TapFormat format = shift_format();
  format.kind = hw::TapKind::twice_shifted;
  format.first_term_bits = 2;
  format.terms.fill(0);  // 2 · 15 · 2^6: 11 bits and a sign
  const std::int64_t sums = 36 * 16;
  Counts found = counts(config, format, {2, 2, 3, 3, 16}, false);
  EXPECT_EQ(found.at({Action::shift, 10, 0}), 2 * sums * 3);
  EXPECT_EQ(found.at({Action::add, 12, 0}), sums * 3);
  EXPECT_EQ(found.at({Action::add, 13, 0}), sums);
  format.weight_bits = 5;
  format.first_term_bits = 4;  // one term
  found = counts(config, format, {2, 2, 3, 3, 16}, false);
  EXPECT_EQ(found.at({Action::shift, 10, 0}), sums * 3);
  EXPECT_EQ(found.count({Action::add, 12, 0}), 0u);
}

TEST(PeArray, BinaryElementsTakeTheTimeOfAnyOther) {
  hw::PeArrayConfig config = authors();
  config.kind = "xnor";
  config.weight_bits = config.activation_bits = 1;
  const PeArray array(Component::pe_array, config);
  EXPECT_EQ(array.cycles({28, 28, 3, 16, 16}), 7062);
}

TEST(PeArray, AdditionsEqualTapsWhateverTheLanes) {
  // n − 1 in the tree and 1 in the accumulator for n lanes.
  for (const int channels : {1, 3, 7, 16, 17, 40}) {
    const Counts found = counts(authors(), TapFormat(), {3, 3, 3, channels, 5}, true);
    std::int64_t additions = 0;
    for (const auto& [key, times] : found) {
      if (std::get<0>(key) == Action::add) additions += times;
    }
    EXPECT_EQ(additions, 81 * channels * 5) << channels;
  }
}

TEST(PeArray, CountsNothingWhereCountingIsOff) {
  Activity activity;
  activity.enable(false);
  PeArray(Component::pe_array, authors()).count(activity, 0, TapFormat(), {1, 1, 1, 1, 1}, true);
  EXPECT_TRUE(activity.counts().empty());
}

TEST(PeArray, RefusesBadParameters) {
  const auto refuses = [](auto spoil, const char* message) {
    hw::PeArrayConfig config = authors();
    spoil(config);
    try {
      const PeArray array(Component::edge_array, config);
      ADD_FAILURE() << message;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr(message));
    }
  };
  refuses([](hw::PeArrayConfig& c) { c.rows = 0; }, "edge_array: rows is 0; allowed: 1 to 65535");
  refuses([](hw::PeArrayConfig& c) { c.columns = 0; }, "columns is 0");
  refuses([](hw::PeArrayConfig& c) { c.weight_bits = 9; }, "weight_bits is 9; allowed: 2 to 8");
  refuses([](hw::PeArrayConfig& c) { c.activation_bits = 1; }, "activation_bits is 1");
  refuses([](hw::PeArrayConfig& c) { c.kind = "xnor"; },
          "weight_bits is 8; allowed: 1 with kind xnor");
  refuses(
      [](hw::PeArrayConfig& c) {
        c.kind = "xnor";
        c.weight_bits = 1;
      },
      "activation_bits is 8; allowed: 1 with kind xnor");
  refuses([](hw::PeArrayConfig& c) { c.accumulator_bits = 33; }, "accumulator_bits is 33");
  refuses([](hw::PeArrayConfig& c) { c.weights_per_pe = 0; }, "weights_per_pe is 0");
  refuses([](hw::PeArrayConfig& c) { c.fraction_bits = 13; },
          "fraction_bits is 13; allowed: 0 to 12");
}

// Zero gating ------------------------------------------------------------------------------------

// A tile with many zeros on both sides, in plain arrays.
struct SparseTile {
  hw::ArrayTile tile;
  int stride;
  std::vector<int> activations;  // [row][position][channel], of the columns where depthwise
  std::vector<int> weights;      // [ky][kx][channel][column]; depthwise [ky][kx][column]

  int channels() const { return tile.depthwise ? tile.columns : tile.channels; }
  int rows() const { return (tile.output_height - 1) * stride + tile.kernel; }
  int width() const { return (tile.output_width - 1) * stride + tile.kernel; }
  int activation(int y, int x, int channel) const {
    return activations[static_cast<std::size_t>((y * width() + x) * channels() + channel)];
  }
  int weight(int position, int channel, int column) const {
    return weights[static_cast<std::size_t>(
        tile.depthwise ? position * tile.columns + column
                       : (position * tile.channels + channel) * tile.columns + column)];
  }
  // As ConvolveFields says: groups of 8 channels, of each column in turn.
  std::vector<std::uint8_t> packed(int bits) const {
    const int columns = tile.depthwise ? 1 : tile.columns;
    const int groups = (channels() + 7) / 8;
    std::vector<std::uint8_t> bytes(
        static_cast<std::size_t>(tile.kernel * tile.kernel * groups * columns * bits));
    for (int position = 0; position < tile.kernel * tile.kernel; ++position) {
      for (int channel = 0; channel < channels(); ++channel) {
        for (int column = 0; column < columns; ++column) {
          const int value =
              tile.depthwise ? weight(position, 0, channel) : weight(position, channel, column);
          const int group = ((position * groups + channel / 8) * columns + column) * bits;
          for (int bit = 0; bit < bits; ++bit) {
            const int at = channel % 8 * bits + bit;
            bytes[static_cast<std::size_t>(group + at / 8)] |=
                static_cast<std::uint8_t>((value >> bit & 1) << at % 8);
          }
        }
      }
    }
    return bytes;
  }
};

SparseTile sparse_tile(const hw::ArrayTile& tile, int stride, const TapFormat& format,
                       std::uint32_t seed) {
  SparseTile made{tile, stride, {}, {}};
  const auto draw = [&](int lowest, int highest) {
    seed = seed * 1664525u + 1013904223u;
    const auto value = static_cast<int>((seed >> 8) % static_cast<unsigned>(highest - lowest + 1));
    return (seed >> 28) % 3 == 0 ? 0 : lowest + value;
  };
  const int levels = format.exponents() ? format.levels : format.highest_weight();
  made.activations.resize(static_cast<std::size_t>(made.rows() * made.width() * made.channels()));
  for (int& value : made.activations) value = draw(0, format.highest_activation());
  made.weights.resize(static_cast<std::size_t>(tile.weights()));
  for (int& value : made.weights) value = draw(-levels, levels);
  return made;
}

struct GatedCounts {
  std::int64_t latches = 0;
  std::int64_t operations = 0;
  std::int64_t table_reads = 0;
};

GatedCounts gated_counts(const hw::PeArrayConfig& config, const std::string& engine,
                         const TapFormat& format, const SparseTile& of, Action operation) {
  PeArray array(Component::pe_array, config, best_cpu_target(), engine);
  const OperandLayout layout = array.set_format(format);
  const std::vector<std::uint8_t> packed = of.packed(format.weight_bits);
  array.load_weights(of.tile, packed.data());
  const WeightShape shape = weight_shape(of.tile);
  const TapGeometry geometry{of.tile.kernel, of.stride, shape.channel_groups(),
                             shape.column_blocks(), of.tile.output_width};
  std::uint8_t* operands = array.operands(geometry, of.rows());
  std::size_t i = 0;
  for (int y = 0; y < of.rows(); ++y) {
    for (int x = 0; x < of.width(); ++x) {
      for (int channel = 0; channel < shape.channel_groups() * 8; ++channel, ++i) {
        const int value = channel < of.channels() ? of.activation(y, x, channel) : 0;
        const int operand = value * (1 << layout.activation_shift) + layout.zero;
        if (layout.wide) {
          reinterpret_cast<std::int16_t*>(operands)[i] = static_cast<std::int16_t>(operand);
        } else {
          operands[i] = static_cast<std::uint8_t>(operand);
        }
      }
    }
  }
  array.take_operands(geometry, of.rows());
  Activity activity;
  array.count(activity, 0, format, of.tile, false);
  GatedCounts counts;
  for (const auto& [key, times] : activity.counts()) {
    if (key.action == Action::register_write && key.bits_a == 1) counts.latches += times;
    if (key.action == operation) counts.operations += times;
    if (key.action == Action::table_read) counts.table_reads += times;
  }
  return counts;
}

// Tap by tap.
GatedCounts plain_counts(const SparseTile& of, const ProcessingElement& element,
                         const TapFormat& format) {
  GatedCounts counts;
  const hw::ArrayTile& tile = of.tile;
  for (int y = 0; y < tile.output_height; ++y) {
    for (int x = 0; x < tile.output_width; ++x) {
      for (int position = 0; position < tile.kernel * tile.kernel; ++position) {
        for (int channel = 0; channel < tile.channels; ++channel) {
          for (int column = 0; column < tile.columns; ++column) {
            const int a = of.activation(y * of.stride + position / tile.kernel,
                                        x * of.stride + position % tile.kernel,
                                        tile.depthwise ? column : channel);
            const int w = of.weight(position, channel, column);
            if (a == 0 || w == 0) {
              ++counts.latches;
            } else if (element.reads_table(format, w)) {
              ++counts.table_reads;
            } else {
              ++counts.operations;
            }
          }
        }
      }
    }
  }
  return counts;
}

TEST(ZeroGating, CountsTheTapsThatPlainLoopsFind) {
  struct Case {
    const char* kind;
    Action operation;
  };
  for (const Case& one :
       {Case{"mac", Action::multiply}, Case{"shift", Action::shift}, Case{"post", Action::shift}}) {
    hw::PeArrayConfig config = authors();
    config.kind = one.kind;
    config.weight_bits = config.activation_bits = 4;
    config.zero_gating = true;
    const PeArray array(Component::pe_array, config);
    TapFormat format;
    format.kind = one.kind == std::string("mac")     ? hw::TapKind::product
                  : one.kind == std::string("shift") ? hw::TapKind::shifted
                                                     : hw::TapKind::half_shifted;
    format.weight_bits = format.activation_bits = 4;
    if (format.exponents()) {
      format.levels = 7;
      format.fraction_bits = 3;
    }
    std::uint32_t seed = 7;
    for (const hw::ArrayTile& tile : {hw::ArrayTile{3, 4, 3, 5, 6}, hw::ArrayTile{2, 2, 1, 19, 3},
                                      hw::ArrayTile{4, 3, 3, 1, 11, true}}) {
      for (const int stride : {1, 2}) {
        const SparseTile made = sparse_tile(tile, stride, format, ++seed);
        const GatedCounts wanted = plain_counts(made, array.element(), format);
        ASSERT_GT(wanted.latches, 0);
        ASSERT_GT(wanted.operations, 0);
        for (const char* engine : {"vector", "stepwise"}) {
          const GatedCounts found = gated_counts(config, engine, format, made, one.operation);
          EXPECT_EQ(found.latches, wanted.latches) << one.kind << ' ' << engine;
          EXPECT_EQ(found.operations, wanted.operations) << one.kind << ' ' << engine;
          EXPECT_EQ(found.table_reads, wanted.table_reads) << one.kind << ' ' << engine;
        }
        hw::PeArrayConfig without = config;
        without.zero_gating = false;
        const GatedCounts all = gated_counts(without, "vector", format, made, one.operation);
        EXPECT_EQ(all.latches, 0);
        EXPECT_EQ(all.operations + all.table_reads, tile.taps());
      }
    }
  }
}

// |0 - w| is |w|, and a sign has no zero.
TEST(ZeroGating, LeavesTapsAloneThatAreNotZero) {
  hw::PeArrayConfig config = authors();
  config.zero_gating = true;
  TapFormat format;
  format.weight_bits = format.activation_bits = 4;
  format.weight_signed = true;
  const SparseTile made = sparse_tile({3, 3, 3, 4, 4}, 1, format, 3);
  const GatedCounts found =
      gated_counts(config, "stepwise", format, made, Action::absolute_difference);
  EXPECT_EQ(found.latches, 0);
  EXPECT_EQ(found.operations, made.tile.taps());
  format.kind = hw::TapKind::sign_product;
  EXPECT_FALSE(processing_element("xnor").zero_gives_zero(format));
}

}  // namespace
}  // namespace abacus::models
