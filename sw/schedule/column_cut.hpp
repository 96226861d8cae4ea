// A layer's output channels, cut into column tiles of one width, and what all of them need on chip.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "sw/schedule/column_tiles.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::schedule {

// Bytes of a layer's tiles in an SRAM, each aligned.
struct TileBytes {
  std::uint64_t all = 0;
  std::uint64_t largest = 0;
  int chunks = 0;  // fetches that bring them all once (sw/schedule/tile_stream.hpp)
};

struct ColumnCut {
  std::vector<ColumnTile> tiles;  // none on the vector unit
  TileBytes weights;
  TileBytes parameters;
  std::vector<int> run_lengths;  // of all tiles' channel runs
  bool adjoining =
      true;  // every tile's channels are neighbours, so that a tile alone finds their sums

  // Commands that one spatial tile takes.
  int columns() const { return tiles.empty() ? 1 : static_cast<int>(tiles.size()); }
  int widest_tile() const;
};

// As wide as the array if the memories hold that, else as wide as they hold; and as wide as half of
// them holds, so that the next tile can come in beside it. Throws std::runtime_error naming the layer
// and its need where they hold no column.
std::vector<ColumnCut> column_cuts(const network::IntegerNetwork& network,
                                   const network::IntegerLayer& layer,
                                   const hw::HardwareConfig& hardware);

// That a layer does not fit a memory: what it needs, what there is.
[[noreturn]] void refuse_too_small(const network::IntegerLayer& layer, const std::string& memory,
                                   const std::string& what, std::uint64_t needed,
                                   std::uint64_t available);

}  // namespace abacus::schedule
