#include "tlm/dataflow.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

namespace abacus::hw {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

PeArrayConfig array_of(int rows, int columns) {
  PeArrayConfig array;
  array.rows = rows;
  array.columns = columns;
  return array;
}

using Pairs = std::vector<std::pair<int, int>>;

Pairs pairs(const std::vector<AccumulationStep>& steps) {
  Pairs pairs;
  for (const AccumulationStep& step : steps) pairs.emplace_back(step.first_tap, step.taps);
  return pairs;
}

TEST(Dataflow, IsFoundByName) {
  for (const std::string& name : dataflow_names()) EXPECT_EQ(dataflow(name).name(), name);
  EXPECT_EQ(PeArrayConfig().dataflow, "output-stationary");
  try {
    dataflow("weight-moving");
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"weight-moving\""));
    EXPECT_THAT(error.what(), HasSubstr("allowed: output-stationary"));
  }
}

class EveryDataflow : public ::testing::TestWithParam<std::string> {
 protected:
  // On random arrays, depthwise tiles among them.
  template <typename Test>
  static void for_random_tiles(const Test& test) {
    std::mt19937 random(5);
    const auto pick = [&](int low, int high) {
      return std::uniform_int_distribution<int>(low, high)(random);
    };
    const Dataflow& flow = dataflow(GetParam());
    for (int i = 0; i < 300; ++i) {
      PeArrayConfig array = array_of(pick(1, 40), pick(1, 40));
      array.weights_per_pe = pick(1, 64);
      array.accumulators = i % 2 == 0 ? 1 : pick(2, 20);
      const bool depthwise = i % 5 == 0;
      const ArrayTile tile{pick(1, 9),
                           pick(1, 9),
                           pick(1, 5),
                           depthwise ? 1 : pick(1, 90),
                           pick(1, flow.most_columns(array, depthwise)),
                           depthwise,
                           pick(1, 3)};
      SCOPED_TRACE("rows " + std::to_string(array.rows) + " channels " +
                   std::to_string(tile.channels) + " columns " + std::to_string(tile.columns));
      test(flow, array, tile);
    }
  }
};

TEST_P(EveryDataflow, AccumulatesEveryTapOfAnOutputOnce) {
  for_random_tiles([](const Dataflow& flow, const PeArrayConfig& array, const ArrayTile& tile) {
    std::vector<int> times(static_cast<std::size_t>(tile.kernel * tile.kernel * tile.channels));
    for (const AccumulationStep& step : flow.accumulation_order(array, tile)) {
      ASSERT_LE(step.taps, array.rows);
      for (int i = 0; i < step.taps; ++i) ++times.at(static_cast<std::size_t>(step.first_tap + i));
    }
    EXPECT_THAT(times, Each(1));
  });
}

TEST_P(EveryDataflow, ActionsAndCyclesGoWithTheTaps) {
  for_random_tiles([](const Dataflow& flow, const PeArrayConfig& array, const ArrayTile& tile) {
    const ArrayActions actions = flow.actions(array, tile, true);
    EXPECT_EQ(actions.taps, tile.taps());
    std::int64_t summed = 0;
    std::int64_t sums = 0;
    for (const ArrayActions::Sums& some : actions.sums) {
      summed += some.lanes * some.times;
      sums += some.times;
    }
    EXPECT_EQ(summed, tile.taps());
    EXPECT_EQ(sums, static_cast<std::int64_t>(flow.accumulation_order(array, tile).size()) *
                        tile.outputs());
    const bool stay = flow.weights_stay(array, tile);
    EXPECT_EQ(flow.weight_passes(array, tile) == 0, stay);
    EXPECT_EQ(actions.weight_buffer_reads == 0, !stay);
    if (array.accumulators == 1) {
      EXPECT_EQ(actions.weight_buffer_reads + actions.weight_registers, tile.taps());
    } else if (stay) {
      // Each serves at most that many outputs, and passes two registers where it serves several.
      EXPECT_GE(actions.weight_buffer_reads * array.accumulators, tile.taps());
      EXPECT_LE(actions.weight_buffer_reads, tile.taps());
      EXPECT_TRUE(actions.weight_registers == 2 * actions.weight_buffer_reads ||
                  actions.weight_buffer_reads == tile.taps());
    } else {
      EXPECT_GE(flow.weight_passes(array, tile) * array.accumulators, tile.pixels());
      EXPECT_LE(flow.weight_passes(array, tile), tile.pixels());
      const std::int64_t passing = flow.weight_passes(array, tile) * tile.weights();
      EXPECT_TRUE(actions.weight_registers == 2 * passing || passing == tile.taps());
    }
    EXPECT_EQ(actions.weight_buffer_writes, stay ? tile.weights() : 0);
    EXPECT_EQ(flow.actions(array, tile, false).weight_buffer_writes, 0);

    EXPECT_GE(flow.issue_cycles(array, tile) * array.rows * array.columns, tile.taps());
    EXPECT_EQ(flow.cycles(array, tile),
              flow.issue_cycles(array, tile) + flow.pipeline_depth(array));
  });
}

TEST_P(EveryDataflow, WritesEveryOutputOnce) {
  for_random_tiles([](const Dataflow& flow, const PeArrayConfig& array, const ArrayTile& tile) {
    const OperandAccess outputs = flow.output_writes(array, tile);
    EXPECT_EQ(outputs.elements * outputs.times, tile.outputs());
  });
}

TEST_P(EveryDataflow, AddsUpWithOneAdditionLessThanValues) {
  const Dataflow& flow = dataflow(GetParam());
  for (int lanes = 1; lanes <= 70; ++lanes) {
    int additions = 0;
    for (const SumLevel& level : flow.sum_levels(lanes, 9)) {
      additions += level.additions;
      EXPECT_GT(level.bits, 9);
      EXPECT_GE(level.registers, 1);
    }
    EXPECT_EQ(additions, lanes - 1);
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryDataflow, ::testing::ValuesIn(dataflow_names()),
                         [](const auto& given) {
                           std::string name = given.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST(OutputStationary, TakesTheAuthorsCycles) {
  // Wang et al., arXiv 2101.10015: 28 × 28 × 16 → 16, 3 × 3, 16 × 16 lanes.
  const Dataflow& flow = dataflow("output-stationary");
  EXPECT_EQ(flow.cycles(array_of(16, 16), {28, 28, 3, 16, 16}), 7062);
  EXPECT_EQ(flow.issue_cycles(array_of(16, 16), {7, 7, 3, 65, 16}), 49 * 9 * 5);
}

TEST(OutputStationary, SumsAChannelTileAfterTheOther) {
  const std::vector<AccumulationStep> steps =
      dataflow("output-stationary").accumulation_order(array_of(4, 1), {1, 1, 2, 6, 1});
  EXPECT_EQ(pairs(steps),
            (Pairs{{0, 4}, {6, 4}, {12, 4}, {18, 4}, {4, 2}, {10, 2}, {16, 2}, {22, 2}}));
}

TEST(OutputStationary, GivesEachDepthwiseColumnARow) {
  const Dataflow& flow = dataflow("output-stationary");
  EXPECT_EQ(flow.most_columns(array_of(4, 16), true), 4);
  EXPECT_EQ(flow.most_columns(array_of(4, 16), false), 16);
  // The columns' channels side by side, as many in an access as the array has rows.
  const std::vector<OperandAccess> reads =
      flow.activation_reads(array_of(16, 16), {2, 3, 3, 1, 12, true}, {40, 20});
  ASSERT_EQ(reads.size(), 1u);
  EXPECT_EQ(reads[0].elements, 12);
  EXPECT_EQ(reads[0].times, 40);
}

TEST(OutputStationary, AWeightServesAsManyOutputsAsAColumnHasAccumulators) {
  const Dataflow& flow = dataflow("output-stationary");
  PeArrayConfig array = array_of(16, 16);
  array.weights_per_pe = 8;
  array.accumulators = 16;
  EXPECT_EQ(flow.weight_passes(array, {7, 7, 3, 16, 16}), 4);  // 49 pixels
  EXPECT_EQ(flow.weight_passes(array, {1, 7, 3, 16, 16}), 1);
  // A window of few channels: its 147 taps are 10 steps, which read the 6 positions that two of them share
  // twice. Where its weights stay, it goes on pixel by pixel.
  const Dataflow& packed = dataflow("packed-windows");
  const ArrayTile few{7, 7, 7, 3, 16};
  EXPECT_EQ(packed.weight_passes(array, few), 4);
  EXPECT_EQ(packed.activation_reads(array, few, {490, 70})[0].times, 490 * (49 + 6) / 49);
  array.weights_per_pe = 10;
  EXPECT_EQ(packed.activation_reads(array, few, {490, 70})[0].times, 490);
  EXPECT_EQ(packed.actions(array, few, true).weight_buffer_reads, few.taps());
}

TEST(PackedWindows, CutsAWindowOfFewChannelsIntoStepsOfAsManyTapsAsRows) {
  const Dataflow& flow = dataflow("packed-windows");
  // ResNet-18's first convolution: 147 taps on 4 rows.
  EXPECT_EQ(flow.issue_cycles(array_of(4, 16), {112, 112, 7, 3, 16, false, 2}), 112 * 112 * 37);
  EXPECT_EQ(pairs(flow.accumulation_order(array_of(4, 1), {1, 1, 2, 3, 1})),
            (Pairs{{0, 4}, {4, 4}, {8, 4}}));
  // A window's weights are as many in a PE as it has steps.
  PeArrayConfig array = array_of(4, 16);
  array.weights_per_pe = 37;
  EXPECT_TRUE(flow.weights_stay(array, {1, 1, 7, 3, 16}));
  array.weights_per_pe = 36;
  EXPECT_FALSE(flow.weights_stay(array, {1, 1, 7, 3, 16}));
  // Each position comes once a window.
  const std::vector<OperandAccess> reads =
      flow.activation_reads(array_of(4, 16), {2, 3, 3, 3, 12}, {40, 20});
  ASSERT_EQ(reads.size(), 1u);
  EXPECT_EQ(reads[0].elements, 3);
  EXPECT_EQ(reads[0].times, 40);
}

TEST(PackedWindows, IsOutputStationaryForChannelsThatFillTheRows) {
  const Dataflow& packed = dataflow("packed-windows");
  const Dataflow& plain = dataflow("output-stationary");
  for (const int channels : {16, 17, 40}) {
    const ArrayTile tile{5, 6, 3, channels, 16};
    EXPECT_EQ(packed.issue_cycles(array_of(16, 16), tile),
              plain.issue_cycles(array_of(16, 16), tile));
    EXPECT_EQ(pairs(packed.accumulation_order(array_of(16, 16), tile)),
              pairs(plain.accumulation_order(array_of(16, 16), tile)));
  }
}

TEST(PackedWindows, NeverTakesMoreCyclesOrReadsThanOutputStationary) {
  const Dataflow& packed = dataflow("packed-windows");
  const Dataflow& plain = dataflow("output-stationary");
  std::mt19937 random(8);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int i = 0; i < 500; ++i) {
    const int rows = pick(1, 40);
    const PeArrayConfig array = array_of(rows, pick(1, rows));
    const bool depthwise = i % 2 == 0;
    const ArrayTile tile{
        pick(1, 9), pick(1, 9), pick(1, 5), depthwise ? 1 : pick(1, 60), pick(1, array.columns),
        depthwise,  pick(1, 3)};
    const InsideWindows inside{tile.positions(), tile.positions() / tile.kernel};
    const auto all = [&](const Dataflow& flow) {
      std::int64_t elements = 0;
      for (const OperandAccess& access : flow.activation_reads(array, tile, inside)) {
        elements += access.elements * access.times;
      }
      return elements;
    };
    EXPECT_LE(packed.issue_cycles(array, tile), plain.issue_cycles(array, tile));
    EXPECT_LE(all(packed), all(plain));
  }
}

TEST(PackedWindows, MovesADepthwiseWindowThroughTheRegisters) {
  const Dataflow& flow = dataflow("packed-windows");
  EXPECT_EQ(flow.most_columns(array_of(4, 16), true), 16);
  EXPECT_EQ(flow.activation_registers(array_of(4, 16)), 64);
  // 3 x 3 on 16 rows: a step, and three new pixels of 16 channels through a quantizer of 16 lanes; six
  // more where a row begins.
  EXPECT_EQ(flow.issue_cycles(array_of(16, 16), {4, 10, 3, 1, 16, true}), 4 * (10 * 3 + 6));
  // Three pixels at once.
  PeArrayConfig wide = array_of(16, 16);
  wide.read_lanes = 48;
  EXPECT_EQ(flow.issue_cycles(wide, {4, 10, 3, 1, 16, true}), 4 * (10 * 1 + 2));
  // Fewer than rows are none.
  wide.read_lanes = 8;
  EXPECT_EQ(flow.issue_cycles(wide, {4, 10, 3, 1, 16, true}), 4 * (10 * 3 + 6));
  // At stride 2, six; three more.
  EXPECT_EQ(flow.issue_cycles(array_of(16, 16), {4, 10, 3, 1, 16, true, 2}), 4 * (10 * 6 + 3));
  // 4 x 4 channels: the step binds.
  EXPECT_EQ(flow.issue_cycles(array_of(16, 4), {4, 10, 3, 1, 4, true}), 4 * (10 * 1 + 2));
  // 25 positions do not fit 16 rows.
  EXPECT_EQ(flow.issue_cycles(array_of(16, 16), {4, 10, 5, 1, 16, true}), 4 * 10 * 25);
  EXPECT_EQ(flow.activation_reads(array_of(16, 16), {4, 10, 3, 1, 16, true}, {300, 100})[0].times,
            100);
  EXPECT_EQ(flow.activation_reads(array_of(16, 16), {4, 10, 5, 1, 16, true}, {300, 100})[0].times,
            300);
}

}  // namespace
}  // namespace abacus::hw
