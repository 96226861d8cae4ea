#include "sw/schedule/column_cut.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>

#include "sw/schedule/address_space.hpp"
#include "sw/schedule/tile_stream.hpp"
#include "sw/schedule/tiling.hpp"
#include "tlm/command.hpp"
#include "tlm/dataflow.hpp"

namespace abacus::schedule {
namespace {

std::uint64_t record_bytes(int columns) {
  return align_up(static_cast<std::uint64_t>(columns) * sizeof(hw::ScaleRecord), tile_alignment);
}

TileBytes tile_bytes(const std::vector<std::uint64_t>& bytes, std::uint64_t capacity) {
  TileBytes sum;
  for (const std::uint64_t tile : bytes) {
    sum.all += tile;
    sum.largest = std::max(sum.largest, tile);
  }
  sum.chunks = static_cast<int>(chunk_sizes(bytes, capacity).size());
  return sum;
}

class Cutter {
 public:
  Cutter(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
         const hw::HardwareConfig& hardware)
      : layer_(layer),
        hardware_(hardware),
        input_channels_(network.tensor(layer.input).shape.channels) {}

  std::vector<ColumnCut> run() const {
    const hw::PeArrayConfig& array = array_of(layer_, hardware_);
    const int array_columns = hw::dataflow(array.dataflow).most_columns(array, layer_.depthwise);
    if (weight_bytes(1) > hardware_.weight_sram.bytes) {
      refuse_too_small(layer_, "weight", "one output channel", weight_bytes(1),
                       hardware_.weight_sram.bytes);
    }
    if (record_bytes(1) > hardware_.parameter_sram.bytes) {
      refuse_too_small(layer_, "parameter", "one output channel", record_bytes(1),
                       hardware_.parameter_sram.bytes);
    }
    std::vector<ColumnCut> cuts;
    int narrowest = array_columns + 1;
    for (const std::uint64_t share : {1, 2}) {
      const int width = widest_columns(array_columns, share);
      if (width == 0 || width == narrowest) continue;
      narrowest = width;
      cuts.push_back(cut(width));
    }
    return cuts;
  }

 private:
  std::uint64_t weight_bytes(int columns) const {
    return align_up(packed_weight_bytes(layer_, input_channels_, columns), tile_alignment);
  }

  // Columns of which one `share`-th of the memories holds a tile.
  int widest_columns(int most, std::uint64_t share) const {
    for (int width = most; width > 0; --width) {
      if (weight_bytes(width) <= hardware_.weight_sram.bytes / share &&
          record_bytes(width) <= hardware_.parameter_sram.bytes / share) {
        return width;
      }
    }
    return 0;
  }

  ColumnCut cut(int width) const {
    ColumnCut cut;
    cut.tiles = column_tiles(layer_, width);
    std::vector<std::uint64_t> weights;
    std::vector<std::uint64_t> records;
    for (const ColumnTile& tile : cut.tiles) {
      weights.push_back(weight_bytes(tile.columns()));
      records.push_back(record_bytes(tile.columns()));
      for (const ChannelRun& run : channel_runs(tile)) cut.run_lengths.push_back(run.count);
      cut.adjoining =
          cut.adjoining && tile.channels.back() - tile.channels.front() + 1 == tile.columns();
    }
    cut.weights = tile_bytes(weights, hardware_.weight_sram.bytes);
    cut.parameters = tile_bytes(records, hardware_.parameter_sram.bytes);
    return cut;
  }

  const network::IntegerLayer& layer_;
  const hw::HardwareConfig& hardware_;
  int input_channels_;
};

}  // namespace

int ColumnCut::widest_tile() const {
  int columns = 0;
  for (const ColumnTile& tile : tiles) columns = std::max(columns, tile.columns());
  return columns;
}

std::vector<ColumnCut> column_cuts(const network::IntegerNetwork& network,
                                   const network::IntegerLayer& layer,
                                   const hw::HardwareConfig& hardware) {
  if (layer.kind != network::IntegerLayerKind::convolution) return {ColumnCut{}};
  return Cutter(network, layer, hardware).run();
}

void refuse_too_small(const network::IntegerLayer& layer, const std::string& memory,
                      const std::string& what, std::uint64_t needed, std::uint64_t available) {
  throw std::runtime_error("layer \"" + layer.name + "\" does not fit: " + what + " needs " +
                           std::to_string(needed) + " bytes of " + memory + " SRAM; it has " +
                           std::to_string(available));
}

}  // namespace abacus::schedule
