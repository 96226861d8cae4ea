#include "tlm/dataflow.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <stdexcept>
#include <tuple>

namespace abacus::hw {
namespace {

using ::testing::HasSubstr;

PeArrayConfig array_of(int rows, int columns) {
  PeArrayConfig array;
  array.rows = rows;
  array.columns = columns;
  return array;
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
      const bool depthwise = i % 5 == 0;
      const ArrayTile tile{pick(1, 9),
                           pick(1, 9),
                           pick(1, 5),
                           depthwise ? 1 : pick(1, 90),
                           pick(1, flow.most_columns(array, depthwise)),
                           depthwise};
      SCOPED_TRACE("rows " + std::to_string(array.rows) + " channels " +
                   std::to_string(tile.channels) + " columns " + std::to_string(tile.columns));
      test(flow, array, tile);
    }
  }
};

TEST_P(EveryDataflow, AccumulatesEveryTapOfAnOutputOnce) {
  for_random_tiles([](const Dataflow& flow, const PeArrayConfig& array, const ArrayTile& tile) {
    std::map<std::tuple<int, int, int>, int> taps;
    for (const AccumulationStep& step : flow.accumulation_order(array, tile)) {
      for (int c = 0; c < step.channels; ++c) ++taps[{step.ky, step.kx, step.first_channel + c}];
    }
    ASSERT_EQ(static_cast<std::int64_t>(taps.size()),
              std::int64_t{tile.kernel} * tile.kernel * tile.channels);
    for (const auto& [tap, times] : taps) {
      const auto& [ky, kx, channel] = tap;
      ASSERT_EQ(times, 1);
      ASSERT_TRUE(ky >= 0 && ky < tile.kernel && kx >= 0 && kx < tile.kernel);
      ASSERT_TRUE(channel >= 0 && channel < tile.channels);
    }
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
    EXPECT_EQ(actions.weight_buffer_reads + actions.weight_registers, tile.taps());

    const bool stay = flow.weights_stay(array, tile);
    EXPECT_EQ(flow.weight_passes(array, tile) == 0, stay);
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
  const std::vector<std::tuple<int, int, int, int>> wanted = {
      {0, 4, 0, 0}, {0, 4, 0, 1}, {0, 4, 1, 0}, {0, 4, 1, 1},
      {4, 2, 0, 0}, {4, 2, 0, 1}, {4, 2, 1, 0}, {4, 2, 1, 1}};
  ASSERT_EQ(steps.size(), wanted.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ(std::tuple(steps[i].first_channel, steps[i].channels, steps[i].ky, steps[i].kx),
              wanted[i]);
  }
}

TEST(OutputStationary, GivesEachDepthwiseColumnARow) {
  const Dataflow& flow = dataflow("output-stationary");
  EXPECT_EQ(flow.most_columns(array_of(4, 16), true), 4);
  EXPECT_EQ(flow.most_columns(array_of(4, 16), false), 16);
  // The columns' channels side by side, as many in an access as the array has rows.
  const std::vector<OperandAccess> reads =
      flow.activation_reads(array_of(16, 16), {2, 3, 3, 1, 12, true}, 40);
  ASSERT_EQ(reads.size(), 1u);
  EXPECT_EQ(reads[0].elements, 12);
  EXPECT_EQ(reads[0].times, 40);
}

}  // namespace
}  // namespace abacus::hw
