// How one layer is cut into tiles, and how long that would take. Sizes in bytes, times in clock
// cycles; docs/scheduling.md explains the choice.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "sw/schedule/column_tiles.hpp"
#include "tlm/array_tile.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::schedule {

struct RowRange {
  int first = 0;
  int count = 0;

  int end() const { return first + count; }
};

// Full-width output rows, and the rows of the input that their windows touch (halo included, rows
// outside the tensor left out).
struct SpatialTile {
  RowRange output;
  RowRange input;
};

enum class LoopOrder {
  rows_outer,    // every column tile of a spatial tile, then the next: an output tile holds whole
                 // pixels
  columns_outer  // every spatial tile of a column tile, then the next: it holds that tile's
                 // channels
};

struct LayerTiling {
  std::vector<ColumnTile> columns;  // empty for the vector unit's layers
  std::vector<SpatialTile> spatial;
  LoopOrder order = LoopOrder::rows_outer;
  int buffers = 2;  // of input, residual and output each: 2 let load, compute and store overlap
  std::uint64_t input_bytes = 0;  // of one buffer
  std::uint64_t residual_bytes = 0;
  std::uint64_t output_bytes = 0;
  bool weights_resident = true;     // stay in their SRAM while the layer runs
  bool parameters_resident = true;  // likewise the scale records
  bool columns_overlap = true;      // a column tile's weights can come in while another computes
  double estimated_cycles = 0;

  bool compact() const { return order == LoopOrder::columns_outer; }
  std::uint64_t activation_bytes() const {
    return static_cast<std::uint64_t>(buffers) * (input_bytes + residual_bytes + output_bytes);
  }
};

// Rows of a layer's input that the windows of output rows `output` touch.
RowRange input_rows(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
                    RowRange output);

// Whether a step adapter needs the channel sums of what `layer`, one of the network's, stores.
bool sums_are_wanted(const network::IntegerNetwork& network, const network::IntegerLayer& layer);

const hw::PeArrayConfig& array_of(const network::IntegerLayer& layer,
                                  const hw::HardwareConfig& hardware);
// What the array computes of a convolution with one command.
hw::ArrayTile array_tile(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
                         int output_rows, int columns);

// Among the tilings that fit and whose estimated time is within 5 % of the least, the one that
// moves the fewest bytes. Throws std::runtime_error naming layer, need and capacity where none
// does.
LayerTiling choose_tiling(const network::IntegerNetwork& network,
                          const network::IntegerLayer& layer, const hw::HardwareConfig& hardware);

}  // namespace abacus::schedule
