#include "sw/schedule/cost_model.hpp"

#include <algorithm>
#include <cstddef>

#include "tlm/command.hpp"
#include "tlm/dataflow.hpp"

namespace abacus::schedule {
namespace {

// Cycles that a DMA command costs besides its bytes (dispatch, first access), and a compute
// command besides its weights, its operands and the array's pipeline.
constexpr double transfer_overhead = 80;
constexpr double compute_overhead = 8;
// Bytes that a command takes of the stream (tlm/command_stream.hpp), about.
constexpr double command_bytes = 32;
// Share of the peak rate that mixed reads and writes get out of bus and DRAM.
constexpr double memory_efficiency = 0.7;

double bytes_per_cycle(const hw::HardwareConfig& hardware) {
  const double cycle = 1e3 / hardware.clock_mhz;  // ns
  const double dram = hardware.dram.peak_bandwidth() * cycle;
  return memory_efficiency * std::min(dram, double{1} * hardware.bus.bytes_per_cycle);
}

double port_bytes(const hw::SramConfig& sram) { return double{1} * sram.banks * sram.port_bytes; }

double ceiling(int a, int b) { return (a + b - 1) / b; }

// Bytes moved and the commands that move them.
struct Traffic {
  double bytes = 0;
  double commands = 0;

  void add(double more, double times = 1) {
    bytes += more * times;
    commands += times;
  }
  double cycles(double rate) const { return bytes / rate + commands * transfer_overhead; }
};

class Estimate {
 public:
  Estimate(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
           const OperandPlaces& places, const Loops& loops, const hw::HardwareConfig& hardware)
      : network_(network),
        layer_(layer),
        places_(places),
        loops_(loops),
        hardware_(hardware),
        input_(network.tensor(layer.input)),
        has_residual_(layer.residual != network::no_tensor),
        tiles_(loops.spatial),
        columns_(loops.cut->columns()),
        compact_(loops.order == LoopOrder::columns_outer && !places.output_stays) {}

  TilingEstimate run() const {
    const Traffic load = loads();
    const Traffic store = stores();
    const double rate = bytes_per_cycle(hardware_);
    const double commands = load.commands + store.commands + tiles_ * columns_;
    TilingEstimate estimate;
    estimate.parts = compute_parts();
    estimate.parts.load = load.cycles(rate);
    estimate.parts.store = store.cycles(rate);
    estimate.cost = {cycles(estimate.parts), load.bytes + store.bytes + commands * command_bytes};
    return estimate;
  }

 private:
  double cycles(const CycleParts& parts) const {
    const double moving = parts.load + parts.store;
    const double compute = std::max({parts.issue, parts.scale, parts.weights}) + parts.commands;
    const TileBytes& weights = loops_.cut->weights;
    const bool columns_overlap = weights.all <= hardware_.weight_sram.bytes ||
                                 weights.largest <= hardware_.weight_sram.bytes / 2;
    // One buffer each: nothing overlaps.
    const bool streams = places_.input == Source::streamed || !places_.output_stays ||
                         (has_residual_ && places_.residual == Source::streamed);
    if ((streams && loops_.buffers == 1 && tiles_ > 1) || !columns_overlap) {
      return moving + compute;
    }
    // Load and store share bus and DRAM. The pipeline fills with the first tile's operands and drains
    // with the last tile's output.
    Traffic fill;
    if (places_.input != Source::present) {
      const RowRange rows = input_rows(network_, layer_, {0, loops_.rows});
      fill.add(static_cast<double>(row_bytes(input_)) * rows.count);
    }
    if (has_residual_ && places_.residual != Source::present) {
      fill.add(static_cast<double>(row_bytes(network_.tensor(layer_.residual))) * loops_.rows);
    }
    if (places_.output_stored) {
      fill.add(static_cast<double>(row_bytes(layer_.output)) * loops_.rows /
               (compact_ ? columns_ : 1));
    }
    return std::max(moving, compute) + fill.cycles(bytes_per_cycle(hardware_));
  }

  // How often a streamed operand comes. With columns outside, the order turns round with each column
  // tile, which finds in the buffers what the one before left there.
  double passes() const {
    if (loops_.order == LoopOrder::rows_outer) return 1;
    const double kept = std::min<double>(loops_.buffers, tiles_);
    return columns_ - (columns_ - 1) * kept / tiles_;
  }

  Traffic loads() const {
    Traffic traffic;
    add_operand(layer_.input, places_.input, traffic);
    if (has_residual_) add_residual(traffic);
    const double repeats = loops_.order == LoopOrder::rows_outer ? tiles_ : 1;
    const auto add_tiles = [&](const TileBytes& tiles, std::uint32_t capacity) {
      if (tiles.chunks == 0) return;
      // Where they stream, each turn finds the last chunk still there.
      const double times = tiles.all <= capacity ? 1 : repeats - (repeats - 1) / tiles.chunks;
      traffic.bytes += static_cast<double>(tiles.all) * times;
      traffic.commands += tiles.chunks * times;
    };
    add_tiles(loops_.cut->weights, hardware_.weight_sram.bytes);
    add_tiles(loops_.cut->parameters, hardware_.parameter_sram.bytes);
    return traffic;
  }

  void add_operand(int tensor, Source source, Traffic& traffic) const {
    const network::StoredTensor& stored = network_.tensor(tensor);
    if (source == Source::present) return;
    if (source == Source::arriving) {
      traffic.bytes += static_cast<double>(stored.bytes());
      traffic.commands += tiles_;
      return;
    }
    const double row = static_cast<double>(row_bytes(stored));
    for (int first = 0; first < layer_.output.shape.height; first += loops_.rows) {
      const int rows = std::min(loops_.rows, layer_.output.shape.height - first);
      traffic.add(row * input_rows(network_, layer_, {first, rows}).count, passes());
    }
  }

  void add_residual(Traffic& traffic) const {
    const network::StoredTensor& residual = network_.tensor(layer_.residual);
    if (places_.residual == Source::present) return;
    // The input's place is the residual's as well.
    if (places_.residual == Source::arriving && layer_.residual == layer_.input) return;
    if (compact_) return add_pieces(residual.element_bytes(), traffic);
    const bool once = places_.residual == Source::arriving;
    traffic.add(static_cast<double>(residual.bytes()) / tiles_, tiles_ * (once ? 1 : passes()));
  }

  Traffic stores() const {
    Traffic traffic;
    if (!places_.output_stored) return traffic;
    if (compact_) {
      add_pieces(layer_.output.element_bytes(), traffic);
    } else {
      traffic.add(static_cast<double>(layer_.output.bytes()) / tiles_, tiles_);
    }
    return traffic;
  }

  // A compact tile moves pixel by pixel; a piece moves few bytes, but is priced as a whole burst: priced by
  // its bytes alone, ResNet-20 took 13 % more cycles, and at 64 bytes ResNet-18 moved 18 % more.
  void add_pieces(int element_bytes, Traffic& traffic) const {
    const double pixels = double{1} * layer_.output.shape.height * layer_.output.shape.width;
    for (const int count : loops_.cut->run_lengths) {
      const int piece = std::max(count * element_bytes, hardware_.store_dma.burst_bytes);
      traffic.add(pixels * piece / tiles_, tiles_);
    }
  }

  CycleParts compute_parts() const {
    const network::Shape& output = layer_.output.shape;
    const double commands = tiles_ * columns_;
    CycleParts parts;
    if (layer_.kind != network::IntegerLayerKind::convolution) {
      const double reads = layer_.kind == network::IntegerLayerKind::add
                               ? 2
                               : double{1} * layer_.kernel * layer_.kernel;
      parts.issue = static_cast<double>(output.elements()) * reads / hardware_.vector_unit.lanes;
      parts.commands = commands * compute_overhead;
      return parts;
    }
    const hw::PeArrayConfig& array = array_of(layer_, hardware_);
    const hw::Dataflow& dataflow = hw::dataflow(array.dataflow);
    const int widest = loops_.cut->widest_tile();
    const hw::ArrayTile all_rows = array_tile(network_, layer_, output.height, widest);
    const double fill = static_cast<double>(loops_.cut->weights.all) / columns_ /
                        port_bytes(hardware_.weight_sram);  // of a column tile
    parts.issue = columns_ * static_cast<double>(dataflow.issue_cycles(array, all_rows));
    parts.scale = columns_ * output.height * output.width * ceiling(widest, array.scale_lanes);
    const hw::ArrayTile tile = array_tile(network_, layer_, loops_.rows, widest);
    parts.weights =
        columns_ * tiles_ * static_cast<double>(dataflow.weight_passes(array, tile)) * fill;
    parts.commands = commands * (compute_overhead + dataflow.pipeline_depth(array));
    if (dataflow.weights_stay(array, all_rows)) parts.commands += weight_fills() * fill;
    return parts;
  }

  // Commands that find another column tile's weights in the PEs.
  double weight_fills() const {
    if (loops_.order == LoopOrder::columns_outer || columns_ == 1) return columns_;
    return tiles_ * columns_ - (tiles_ - 1);
  }

  const network::IntegerNetwork& network_;
  const network::IntegerLayer& layer_;
  const OperandPlaces& places_;
  const Loops& loops_;
  const hw::HardwareConfig& hardware_;
  const network::StoredTensor& input_;
  bool has_residual_;
  double tiles_;
  double columns_;
  bool compact_;
};

}  // namespace

TilingEstimate estimate_cost(const network::IntegerNetwork& network,
                             const network::IntegerLayer& layer, const OperandPlaces& places,
                             const Loops& loops, const hw::HardwareConfig& hardware) {
  return Estimate(network, layer, places, loops, hardware).run();
}

}  // namespace abacus::schedule
