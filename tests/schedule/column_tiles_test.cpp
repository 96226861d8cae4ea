#include "sw/schedule/column_tiles.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace abacus::schedule {
namespace {

using ::testing::ElementsAre;

network::IntegerLayer layer_with_groups(std::vector<std::int32_t> groups) {
  network::IntegerLayer layer;
  layer.group = std::move(groups);
  layer.read_quantizers.resize(8);
  layer.multipliers.assign(layer.group.size(), 0);
  layer.biases.assign(layer.group.size(), 0);
  for (std::size_t i = 0; i < layer.group.size(); ++i) {
    layer.multipliers[i] = static_cast<int>(i) * 3 - 5;
    layer.biases[i] = static_cast<int>(i) * 7;
  }
  return layer;
}

TEST(ColumnTiles, HoldOneGroupEachAndAtMostTheArraysColumns) {
  const network::IntegerLayer layer = layer_with_groups({2, 0, 2, 0, 0, 2, 2});
  const std::vector<ColumnTile> tiles = column_tiles(layer, 3);
  ASSERT_EQ(tiles.size(), 3u);
  EXPECT_EQ(tiles[0].group, 0);
  EXPECT_THAT(tiles[0].channels, ElementsAre(1, 3, 4));
  EXPECT_EQ(tiles[1].group, 2);
  EXPECT_THAT(tiles[1].channels, ElementsAre(0, 2, 5));
  EXPECT_THAT(tiles[2].channels, ElementsAre(6));
}

TEST(ColumnTiles, FindRunsOfChannelsThatStandSideBySide) {
  const std::vector<ChannelRun> runs = channel_runs({0, {1, 3, 4, 5, 9}});
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[1].first_column, 1);
  EXPECT_EQ(runs[1].first_channel, 3);
  EXPECT_EQ(runs[1].count, 3);
  EXPECT_EQ(runs[2].first_column, 4);
  EXPECT_EQ(runs[2].first_channel, 9);
}

TEST(ColumnTiles, ScaleRecordsCarryTheChannelsValuesAndPlaces) {
  const network::IntegerLayer layer = layer_with_groups({0, 1, 0});
  const ColumnTile tile = column_tiles(layer, 4)[0];
  const std::vector<hw::ScaleRecord> whole = scale_records(layer, tile, false);
  ASSERT_EQ(whole.size(), 2u);
  EXPECT_EQ(whole[1].output_channel, 2);
  EXPECT_EQ(whole[1].multiplier, 1);
  EXPECT_EQ(whole[1].bias, 14);
  EXPECT_EQ(scale_records(layer, tile, true)[1].output_channel, 1);
}

// Three 4-bit weights by hand: two columns, three input channels, kernel 1.
TEST(ColumnTiles, PackWeightsLowestBitsFirstWithZerosPastTheLastChannel) {
  network::IntegerLayer layer = layer_with_groups({0, 0});
  layer.weight_bits = 4;
  layer.weights = {1, -2, 3, -8, 7, 0};
  const std::vector<std::uint8_t> bytes = pack_weights(layer, 3, column_tiles(layer, 16)[0]);
  EXPECT_THAT(bytes, ElementsAre(0xE1, 0x03, 0, 0, 0x78, 0x00, 0, 0));
}

TEST(ColumnTiles, PackOddWidthsAcrossBytes) {
  network::IntegerLayer layer = layer_with_groups({0});
  layer.weight_bits = 3;
  layer.weight_signed = false;
  layer.kernel = 1;
  layer.weights = {7, 0, 5, 1, 0, 0, 0, 4};
  // 111 000 101 100 | 000 000 000 001, lowest bit first.
  EXPECT_THAT(pack_weights(layer, 8, column_tiles(layer, 16)[0]), ElementsAre(0x47, 0x03, 0x80));
  EXPECT_EQ(packed_weight_bytes(layer, 9, 5), 2u * 5 * 3);
}

// A bit a weight, 1 for +1; bits past the last channel are 0.
TEST(ColumnTiles, PackSigns) {
  network::IntegerLayer layer = layer_with_groups({0, 0});
  layer.arithmetic = network::Arithmetic::bnn;
  layer.weight_bits = 1;
  layer.weights = {1,  -1, 1,  -1, -1, -1, -1, 1, 1,  -1,  //
                   -1, -1, -1, -1, 1,  1,  1,  1, -1, 1};
  EXPECT_THAT(pack_weights(layer, 10, column_tiles(layer, 16)[0]),
              ElementsAre(0x85, 0xF0, 0x01, 0x02));
  EXPECT_EQ(packed_weight_bytes(layer, 10, 2), 2u * 2);
}

}  // namespace
}  // namespace abacus::schedule
