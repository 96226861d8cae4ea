#include "sw/schedule/cost_model.hpp"

#include <algorithm>

#include "tlm/dataflow.hpp"

namespace abacus::schedule {
namespace {

// Cycles that a DMA command costs besides its bytes (dispatch, first access), and a compute
// command.
constexpr double transfer_overhead = 80;
constexpr double compute_overhead = 24;
// Share of the peak rate that mixed reads and writes get out of bus and DRAM.
constexpr double memory_efficiency = 0.7;

double bytes_per_cycle(const hw::HardwareConfig& hardware) {
  const double cycle = 1e3 / hardware.clock_mhz;  // ns
  const double dram = hardware.dram.data_bits / 8.0 * 2 / hardware.dram.t_ck * cycle;
  return memory_efficiency * std::min(dram, double{1} * hardware.bus.bytes_per_cycle);
}

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
           const LayerTiling& tiling, const hw::HardwareConfig& hardware)
      : network_(network),
        layer_(layer),
        tiling_(tiling),
        hardware_(hardware),
        input_(network.tensor(layer.input)),
        residual_element_bytes_(layer.residual == network::no_tensor
                                    ? 0
                                    : network.tensor(layer.residual).element_bytes()),
        tiles_(static_cast<double>(tiling.spatial.size())),
        columns_(std::max(1.0, static_cast<double>(tiling.columns.size()))) {}

  double bytes() const { return loads().bytes + stores().bytes; }

  double cycles() const {
    const double rate = bytes_per_cycle(hardware_);
    const double load = loads().cycles(rate);
    const double store = stores().cycles(rate);
    const double compute = compute_cycles();
    // One buffer each: nothing overlaps.
    if ((tiling_.buffers == 1 && tiles_ > 1) || !tiling_.columns_overlap) {
      return load + compute + store;
    }
    // Load and store share bus and DRAM. The pipeline fills with the first tile's input and drains
    // with the last tile's output.
    Traffic fill;
    fill.add(static_cast<double>(tiling_.input_bytes));
    if (tiling_.residual_bytes != 0) fill.add(static_cast<double>(tiling_.residual_bytes));
    fill.add(static_cast<double>(tiling_.output_bytes));
    return std::max(load + store, compute) + fill.cycles(rate);
  }

 private:
  Traffic loads() const {
    Traffic traffic;
    // With columns outside, two buffers keep up to two spatial tiles from one column tile to the
    // next.
    const bool inputs_stay = tiling_.order == LoopOrder::rows_outer || tiles_ <= tiling_.buffers;
    const double passes = inputs_stay ? 1 : columns_;
    const double row =
        double{1} * input_.shape.width * input_.shape.channels * input_.element_bytes();
    for (const SpatialTile& tile : tiling_.spatial) traffic.add(row * tile.input.count, passes);
    if (residual_element_bytes_ != 0) add_outputs(residual_element_bytes_, traffic);

    const double repeats = tiling_.order == LoopOrder::rows_outer ? tiles_ : 1;
    for (const ColumnTile& tile : tiling_.columns) {
      const double weights =
          static_cast<double>(packed_weight_bytes(layer_, input_.shape.channels, tile.columns()));
      traffic.add(weights, tiling_.weights_resident ? 1 : repeats);
      traffic.add(tile.columns() * 16.0, tiling_.parameters_resident ? 1 : repeats);
    }
    return traffic;
  }

  Traffic stores() const {
    Traffic traffic;
    add_outputs(layer_.output.element_bytes(), traffic);
    return traffic;
  }

  // The whole output (or residual) tensor once. A compact tile moves pixel by pixel; a piece moves few
  // bytes, but takes about the time of a whole burst: priced by its bytes alone, ResNet-20 took 13 %
  // more cycles.
  void add_outputs(int element_bytes, Traffic& traffic) const {
    const network::Shape& shape = layer_.output.shape;
    if (!tiling_.compact()) {
      traffic.add(static_cast<double>(shape.elements()) * element_bytes / tiles_, tiles_);
      return;
    }
    const double pixels = double{1} * shape.height * shape.width;
    for (const ColumnTile& tile : tiling_.columns) {
      for (const ChannelRun& run : channel_runs(tile)) {
        const int piece = std::max(run.count * element_bytes, hardware_.store_dma.burst_bytes);
        traffic.add(pixels * piece / tiles_, tiles_);
      }
    }
  }

  double compute_cycles() const {
    const network::Shape& output = layer_.output.shape;
    const double positions = double{1} * output.height * output.width;
    const double commands = tiles_ * columns_ * compute_overhead;
    const double window = double{1} * layer_.kernel * layer_.kernel;
    if (layer_.kind == network::IntegerLayerKind::convolution) {
      const hw::PeArrayConfig& array = array_of(layer_, hardware_);
      hw::ArrayTile pixel =
          array_tile(network_, layer_, 1, std::min(array.columns, output.channels));
      pixel.output_width = 1;
      const double depth =
          static_cast<double>(hw::dataflow(array.dataflow).issue_cycles(array, pixel));
      const double scaling = ceiling(std::min(array.columns, output.channels), array.scale_lanes);
      return positions * columns_ * std::max(depth, scaling) + commands + tiles_ * columns_ * depth;
    }
    const double reads = layer_.kind == network::IntegerLayerKind::add ? 2 : window;
    return positions * output.channels * reads / hardware_.vector_unit.lanes + commands;
  }

  const network::IntegerNetwork& network_;
  const network::IntegerLayer& layer_;
  const LayerTiling& tiling_;
  const hw::HardwareConfig& hardware_;
  const network::StoredTensor& input_;
  int residual_element_bytes_;
  double tiles_;
  double columns_;
};

}  // namespace

TilingCost estimate_cost(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
                         const LayerTiling& tiling, const hw::HardwareConfig& hardware) {
  const Estimate estimate(network, layer, tiling, hardware);
  return {estimate.cycles(), estimate.bytes()};
}

}  // namespace abacus::schedule
