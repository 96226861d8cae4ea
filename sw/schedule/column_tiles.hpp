// Output channels, cut into tiles that the array's columns compute at once, and the bytes that such
// a tile needs on chip.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "tlm/command.hpp"

namespace abacus::schedule {

// At most `columns` output channels, all of one read-quantizer group.
struct ColumnTile {
  int group = 0;
  std::vector<int> channels;

  int columns() const { return static_cast<int>(channels.size()); }
};

// Channels that follow one another in a tile and in the tensor.
struct ChannelRun {
  int first_column = 0;
  int first_channel = 0;
  int count = 0;
};

// Channels sorted by group, then by number; a tile never mixes groups. Groups without a channel
// take no tile.
std::vector<ColumnTile> column_tiles(const network::IntegerLayer& layer, int columns);

std::vector<ChannelRun> channel_runs(const ColumnTile& tile);

// Bytes of a tile's packed weights (format: ConvolveFields in tlm/command.hpp).
std::uint64_t packed_weight_bytes(const network::IntegerLayer& layer, int input_channels,
                                  int columns);
std::vector<std::uint8_t> pack_weights(const network::IntegerLayer& layer, int input_channels,
                                       const ColumnTile& tile);

// A step adapter's biases and weights as they stand in the weight SRAM (AdaptFields in tlm/command.hpp).
std::uint64_t adapter_bytes(const network::AdapterNetwork& adapter);
std::vector<std::uint8_t> pack_adapter(const network::AdapterNetwork& adapter);

// One record a column. `compact`: results go to column 0, 1, … of an output buffer that holds this
// tile's channels only; otherwise to their channel's place in the whole pixel.
std::vector<hw::ScaleRecord> scale_records(const network::IntegerLayer& layer,
                                           const ColumnTile& tile, bool compact);

}  // namespace abacus::schedule
