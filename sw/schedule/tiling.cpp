#include "sw/schedule/tiling.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

#include "sw/schedule/address_space.hpp"
#include "sw/schedule/cost_model.hpp"
#include "tlm/command.hpp"
#include "tlm/dataflow.hpp"

namespace abacus::schedule {
namespace {

std::vector<SpatialTile> spatial_tiles(const network::IntegerNetwork& network,
                                       const network::IntegerLayer& layer, int rows) {
  std::vector<SpatialTile> tiles;
  const int height = layer.output.shape.height;
  for (int first = 0; first < height; first += rows) {
    const RowRange output{first, std::min(rows, height - first)};
    tiles.push_back({output, input_rows(network, layer, output)});
  }
  return tiles;
}

std::uint64_t row_bytes(const network::StoredTensor& tensor) {
  return static_cast<std::uint64_t>(tensor.shape.width) * tensor.shape.channels *
         tensor.element_bytes();
}

// Needed on chip by all column tiles, and by the largest one.
struct ColumnBytes {
  std::uint64_t all = 0;
  std::uint64_t largest = 0;

  void add(std::uint64_t bytes) {
    all += align_up(bytes);
    largest = std::max(largest, align_up(bytes));
  }
};

[[noreturn]] void too_small(const network::IntegerLayer& layer, const std::string& memory,
                            const std::string& what, std::uint64_t needed,
                            std::uint64_t available) {
  throw std::runtime_error("layer \"" + layer.name + "\" does not fit: " + what + " needs " +
                           std::to_string(needed) + " bytes of " + memory + " SRAM; it has " +
                           std::to_string(available));
}

// Output channels in tiles of at most `width` columns.
struct ColumnCut {
  std::vector<ColumnTile> tiles;
  ColumnBytes weights;
  ColumnBytes parameters;

  ColumnCut() = default;
  ColumnCut(const network::IntegerLayer& layer, int input_channels, int width)
      : tiles(column_tiles(layer, width)) {
    for (const ColumnTile& tile : tiles) {
      weights.add(packed_weight_bytes(layer, input_channels, tile.columns()));
      parameters.add(static_cast<std::uint64_t>(tile.columns()) * sizeof(hw::ScaleRecord));
    }
  }

  int widest_tile() const {
    int columns = 0;
    for (const ColumnTile& tile : tiles) columns = std::max(columns, tile.columns());
    return columns;
  }
};

class TilingSearch {
  struct Candidate {
    LayerTiling tiling;
    TilingCost cost;
  };
  static constexpr double time_tolerance = 1.05;

 public:
  TilingSearch(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
               const hw::HardwareConfig& hardware)
      : network_(network), layer_(layer), hardware_(hardware) {}

  LayerTiling run() {
    if (layer_.kind == network::IntegerLayerKind::convolution) {
      cut_columns();
    } else {
      cuts_.emplace_back();
    }
    const int height = layer_.output.shape.height;
    for (const ColumnCut& cut : cuts_) {
      // Equal tiles: every number of tiles from 1 on that gives a new number of rows.
      int last_rows = 0;
      for (int count = 1; count <= height; ++count) {
        const int rows = (height + count - 1) / count;
        if (rows == last_rows) continue;
        last_rows = rows;
        for (const int buffers : {2, 1}) {
          consider(cut, rows, LoopOrder::rows_outer, buffers);
          if (cut.tiles.size() > 1 && (!sums_are_wanted(network_, layer_) || adjoining(cut))) {
            consider(cut, rows, LoopOrder::columns_outer, buffers);
          }
        }
      }
    }
    if (candidates_.empty()) {
      too_small(layer_, "activation", "the smallest tile (one output row)", least_need_,
                hardware_.activation_sram.bytes);
    }
    return best();
  }

 private:
  // Whether every tile's channels are neighbours, so that a tile of them alone finds their sums.
  static bool adjoining(const ColumnCut& cut) {
    return std::all_of(cut.tiles.begin(), cut.tiles.end(), [](const ColumnTile& tile) {
      return tile.channels.back() - tile.channels.front() + 1 == tile.columns();
    });
  }

  // As wide as the array if the memories hold that; else as wide as they hold, or as half of them
  // holds, so that the next tile can come in beside it.
  void cut_columns() {
    const int input_channels = network_.tensor(layer_.input).shape.channels;
    const hw::PeArrayConfig& array = array_of(layer_, hardware_);
    const int array_columns = hw::dataflow(array.dataflow).most_columns(array, layer_.depthwise);
    const std::uint64_t weights = align_up(packed_weight_bytes(layer_, input_channels, 1));
    if (weights > hardware_.weight_sram.bytes) {
      too_small(layer_, "weight", "one output channel", weights, hardware_.weight_sram.bytes);
    }
    const std::uint64_t record = align_up(sizeof(hw::ScaleRecord));
    if (record > hardware_.parameter_sram.bytes) {
      too_small(layer_, "parameter", "one output channel", record, hardware_.parameter_sram.bytes);
    }
    int narrowest = array_columns + 1;
    for (const std::uint64_t share : {1, 2}) {
      const int width = widest_columns(input_channels, array_columns, share);
      if (width == 0 || width == narrowest) continue;
      narrowest = width;
      cuts_.emplace_back(layer_, input_channels, width);
    }
  }

  // Columns of which one `share`-th of the memories holds a tile.
  int widest_columns(int input_channels, int most, std::uint64_t share) const {
    for (int width = most; width > 0; --width) {
      const std::uint64_t weights = align_up(packed_weight_bytes(layer_, input_channels, width));
      const std::uint64_t records =
          align_up(static_cast<std::uint64_t>(width) * sizeof(hw::ScaleRecord));
      if (weights <= hardware_.weight_sram.bytes / share &&
          records <= hardware_.parameter_sram.bytes / share) {
        return width;
      }
    }
    return 0;
  }

  void consider(const ColumnCut& cut, int rows, LoopOrder order, int buffers) {
    LayerTiling tiling;
    tiling.columns = cut.tiles;
    tiling.spatial = spatial_tiles(network_, layer_, rows);
    tiling.order = order;
    tiling.buffers = buffers;
    if (tiling.spatial.size() == 1 && buffers > 1) return;  // the second would stay unused
    set_buffer_sizes(cut, tiling);
    const std::uint64_t need = tiling.activation_bytes();
    if (least_need_ == 0 || need < least_need_) least_need_ = need;
    if (need > hardware_.activation_sram.bytes) return;
    tiling.weights_resident = cut.weights.all <= hardware_.weight_sram.bytes;
    tiling.parameters_resident = cut.parameters.all <= hardware_.parameter_sram.bytes;
    tiling.columns_overlap =
        tiling.weights_resident || cut.weights.largest <= hardware_.weight_sram.bytes / 2;
    const TilingCost cost = estimate_cost(network_, layer_, tiling, hardware_);
    tiling.estimated_cycles = cost.cycles;
    candidates_.push_back({std::move(tiling), cost});
  }

  // Time that is hardly shorter is not worth more traffic, which costs energy.
  LayerTiling best() const {
    double least = candidates_.front().cost.cycles;
    for (const Candidate& candidate : candidates_) least = std::min(least, candidate.cost.cycles);
    const Candidate* best = nullptr;
    for (const Candidate& candidate : candidates_) {
      if (candidate.cost.cycles > least * time_tolerance) continue;
      if (best == nullptr || candidate.cost.bytes < best->cost.bytes) best = &candidate;
    }
    return best->tiling;
  }

  void set_buffer_sizes(const ColumnCut& cut, LayerTiling& tiling) const {
    int output_rows = 0;
    int input_row_count = 0;
    for (const SpatialTile& tile : tiling.spatial) {
      output_rows = std::max(output_rows, tile.output.count);
      input_row_count = std::max(input_row_count, tile.input.count);
    }
    const int channels = tiling.compact() ? cut.widest_tile() : layer_.output.shape.channels;
    const std::uint64_t elements =
        static_cast<std::uint64_t>(output_rows) * layer_.output.shape.width * channels;
    tiling.input_bytes = align_up(input_row_count * row_bytes(network_.tensor(layer_.input)));
    tiling.output_bytes = align_up(elements * layer_.output.element_bytes());
    if (layer_.residual != network::no_tensor) {
      tiling.residual_bytes = align_up(elements * network_.tensor(layer_.residual).element_bytes());
    }
  }

  const network::IntegerNetwork& network_;
  const network::IntegerLayer& layer_;
  const hw::HardwareConfig& hardware_;
  std::vector<ColumnCut> cuts_;
  std::vector<Candidate> candidates_;
  std::uint64_t least_need_ = 0;
};

}  // namespace

RowRange input_rows(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
                    RowRange output) {
  if (layer.kind == network::IntegerLayerKind::add) return output;
  const int height = network.tensor(layer.input).shape.height;
  const int first = std::max(0, output.first * layer.stride - layer.padding);
  const int last = (output.end() - 1) * layer.stride - layer.padding + layer.kernel - 1;
  return {first, std::min(last, height - 1) - first + 1};
}

bool sums_are_wanted(const network::IntegerNetwork& network, const network::IntegerLayer& layer) {
  const auto index = &layer - network.layers.data();
  return std::any_of(
      network.layers.begin(), network.layers.end(),
      [&](const network::IntegerLayer& reader) { return reader.adapter && reader.input == index; });
}

const hw::PeArrayConfig& array_of(const network::IntegerLayer& layer,
                                  const hw::HardwareConfig& hardware) {
  return layer.edge ? hardware.edge_array : hardware.array;
}

hw::ArrayTile array_tile(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
                         int output_rows, int columns) {
  const int channels = layer.seen_channels(network.tensor(layer.input).shape.channels);
  return {output_rows, layer.output.shape.width, layer.kernel, channels, columns, layer.depthwise};
}

LayerTiling choose_tiling(const network::IntegerNetwork& network,
                          const network::IntegerLayer& layer, const hw::HardwareConfig& hardware) {
  return TilingSearch(network, layer, hardware).run();
}

}  // namespace abacus::schedule
