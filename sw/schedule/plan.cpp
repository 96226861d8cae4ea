#include "sw/schedule/plan.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "sw/schedule/address_space.hpp"
#include "sw/schedule/occupancy.hpp"
#include "sw/schedule/tile_stream.hpp"
#include "tlm/command.hpp"
#include "tlm/dataflow.hpp"

namespace abacus::schedule {
namespace {

// What one of a layer's input (or residual) buffers holds.
struct Held {
  int spatial = 0;
  int column = 0;
};

class Planner {
 public:
  Planner(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware)
      : network_(network),
        hardware_(hardware),
        weights_(FetchKind::weights, hardware.weight_sram.bytes),
        parameters_(FetchKind::parameters, hardware.parameter_sram.bytes),
        register_of_(network.layers.size(), -1) {}

  Plan run() {
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      plan_.tilings.push_back(choose_tiling(network_, network_.layers[i], hardware_));
      begin_layer(static_cast<int>(i));
      for_each_tile([&](int spatial, int column) { add_step(spatial, column); });
      finish_layer();
      add_adapters();
    }
    std::stable_sort(plan_.fetches.begin(), plan_.fetches.end(),
                     [](const Fetch& a, const Fetch& b) { return a.needed < b.needed; });
    return std::move(plan_);
  }

 private:
  const network::IntegerLayer& layer() const {
    return network_.layers[static_cast<std::size_t>(index_)];
  }
  const LayerTiling& tiling() const { return plan_.tilings.back(); }

  void begin_layer(int index) {
    index_ = index;
    // Layers take turns at the two ends of the memory, so that a small layer's first loads need not
    // wait for the layer before to leave its buffers.
    const std::uint64_t bytes = tiling().activation_bytes();
    const std::uint64_t top = (hardware_.activation_sram.bytes - bytes) / region_alignment;
    base_ = index % 2 == 0 ? 0 : static_cast<std::uint32_t>(top * region_alignment);
    inputs_ = {};
    residuals_ = {};
    steps_of_row_.emplace_back(static_cast<std::size_t>(layer().output.shape.height), -1);

    if (layer().kind != network::IntegerLayerKind::convolution) return;
    const int input_channels = network_.tensor(layer().input).shape.channels;
    std::vector<std::uint64_t> weight_bytes;
    std::vector<std::uint64_t> record_bytes;
    for (const ColumnTile& tile : tiling().columns) {
      weight_bytes.push_back(
          align_up(packed_weight_bytes(layer(), input_channels, tile.columns())));
      record_bytes.push_back(
          align_up(static_cast<std::uint64_t>(tile.columns()) * sizeof(hw::ScaleRecord)));
    }
    const bool several_passes = !tiling().compact();
    weights_.begin_layer(index, weight_bytes, tiling().weights_resident && several_passes);
    parameters_.begin_layer(index, record_bytes, tiling().parameters_resident && several_passes);
  }

  void finish_layer() {
    // An output tile is complete with its last step.
    int last_tile = -1;
    for (auto step = plan_.steps.rbegin(); step != plan_.steps.rend() && step->layer == index_;
         ++step) {
      if (step->adapts) continue;
      step->completes_output = tiling().compact() || step->spatial != last_tile;
      last_tile = step->spatial;
    }
  }

  // The steps of all layers that read what was just stored, before its channel sums give way to
  // others'. The compute unit works in order, so those layers find them set.
  void add_adapters() {
    const int stored = index_;
    for (int i = stored + 1; i < static_cast<int>(network_.layers.size()); ++i) {
      const network::IntegerLayer& reader = network_.layers[static_cast<std::size_t>(i)];
      if (!reader.adapter || reader.input != stored) continue;
      Step step;
      step.layer = i;
      step.adapts = true;
      step.step_register = free_register(i);
      Fetch fetch;
      fetch.kind = FetchKind::adapter;
      fetch.layer = i;
      const int number = static_cast<int>(plan_.steps.size());
      step.weight_address =
          weights_.use_once(adapter_bytes(*reader.adapter), number, fetch, plan_.fetches);
      register_of_[static_cast<std::size_t>(i)] = step.step_register;
      plan_.steps.push_back(step);
    }
  }

  // A register whose layer is done.
  int free_register(int layer) const {
    for (int candidate = 0; candidate < hardware_.step_adapter.registers; ++candidate) {
      bool taken = false;
      for (int i = index_ + 1; i < static_cast<int>(network_.layers.size()); ++i) {
        taken = taken || register_of_[static_cast<std::size_t>(i)] == candidate;
      }
      if (!taken) return candidate;
    }
    throw std::runtime_error("layer \"" + network_.layers[static_cast<std::size_t>(layer)].name +
                             "\" needs a step register while layers before it hold all " +
                             std::to_string(hardware_.step_adapter.registers) +
                             " of the step adapter's");
  }

  // Calls visit(spatial, column) in the order of execution. The inner loop turns round at its ends,
  // so that the tile there is used twice in a row.
  template <typename Visit>
  void for_each_tile(const Visit& visit) const {
    const int spatial = static_cast<int>(tiling().spatial.size());
    const int columns = std::max(1, static_cast<int>(tiling().columns.size()));
    const bool compact = tiling().compact();
    const int outer = compact ? columns : spatial;
    const int inner = compact ? spatial : columns;
    for (int i = 0; i < outer; ++i) {
      for (int k = 0; k < inner; ++k) {
        const int j = i % 2 == 0 ? k : inner - 1 - k;
        compact ? visit(j, i) : visit(i, j);
      }
    }
  }

  void add_step(int spatial, int column) {
    Step step;
    step.layer = index_;
    step.spatial = spatial;
    step.column = column;
    step.step_register = register_of_[static_cast<std::size_t>(index_)];
    const int number = static_cast<int>(plan_.steps.size());
    if (layer().kind == network::IntegerLayerKind::convolution) {
      step.weight_address = weights_.use(column, number, plan_.fetches);
      step.parameter_address = parameters_.use(column, number, plan_.fetches);
      step.keep_weights = keeps_weights(spatial, column);
    }
    step.input_address = use_input(spatial, number);
    if (layer().residual != network::no_tensor)
      step.residual_address = use_residual(spatial, column, number);
    step.output_address = use_output(spatial, number);

    const RowRange rows = tiling().spatial[static_cast<std::size_t>(spatial)].output;
    std::vector<int>& steps_of_row = steps_of_row_.back();
    for (int row = rows.first; row < rows.end(); ++row) {
      steps_of_row[static_cast<std::size_t>(row)] = number;
    }
    plan_.steps.push_back(step);
  }

  // Same tile as the command before, and small enough for the processing elements to hold it.
  bool keeps_weights(int spatial, int column) const {
    if (plan_.steps.empty()) return false;
    const Step& before = plan_.steps.back();
    if (before.adapts || before.layer != index_ || before.column != column) return false;
    const hw::PeArrayConfig& array = array_of(layer(), hardware_);
    const int rows = tiling().spatial[static_cast<std::size_t>(spatial)].output.count;
    const int columns = tiling().columns[static_cast<std::size_t>(column)].columns();
    return hw::dataflow(array.dataflow)
        .weights_stay(array, array_tile(network_, layer(), rows, columns));
  }

  std::uint32_t use_input(int spatial, int step) {
    const std::size_t slot = static_cast<std::size_t>(spatial % tiling().buffers);
    const std::uint64_t address = base_ + slot * tiling().input_bytes;
    const AddressRange range{address, address + tiling().input_bytes};
    std::optional<Held>& held = inputs_[slot];
    if (!held || held->spatial != spatial) {
      held = Held{spatial, 0};
      const RowRange rows = tiling().spatial[static_cast<std::size_t>(spatial)].input;
      add_fetch(FetchKind::input, spatial, 0, range, step, layer().input, rows);
    }
    activations_.touch(range, step);
    return static_cast<std::uint32_t>(address);
  }

  std::uint32_t use_residual(int spatial, int column, int step) {
    const std::size_t slot = static_cast<std::size_t>(spatial % tiling().buffers);
    const std::uint64_t buffers = static_cast<std::uint64_t>(tiling().buffers);
    const std::uint64_t address =
        base_ + buffers * tiling().input_bytes + slot * tiling().residual_bytes;
    const AddressRange range{address, address + tiling().residual_bytes};
    std::optional<Held>& held = residuals_[slot];
    const int wanted_column = tiling().compact() ? column : 0;
    if (!held || held->spatial != spatial || held->column != wanted_column) {
      held = Held{spatial, wanted_column};
      const RowRange rows = tiling().spatial[static_cast<std::size_t>(spatial)].output;
      add_fetch(FetchKind::residual, spatial, wanted_column, range, step, layer().residual, rows);
    }
    activations_.touch(range, step);
    return static_cast<std::uint32_t>(address);
  }

  std::uint32_t use_output(int spatial, int step) {
    const std::uint64_t slot = static_cast<std::uint64_t>(spatial % tiling().buffers);
    const std::uint64_t buffers = static_cast<std::uint64_t>(tiling().buffers);
    const std::uint64_t address = base_ +
                                  buffers * (tiling().input_bytes + tiling().residual_bytes) +
                                  slot * tiling().output_bytes;
    activations_.touch({address, address + tiling().output_bytes}, step);
    return static_cast<std::uint32_t>(address);
  }

  void add_fetch(FetchKind kind, int spatial, int column, const AddressRange& range, int step,
                 int tensor, RowRange rows) {
    Fetch fetch;
    fetch.kind = kind;
    fetch.layer = index_;
    fetch.spatial = spatial;
    fetch.first_column = column;
    fetch.column_count = 1;
    fetch.address = static_cast<std::uint32_t>(range.begin);
    fetch.needed = step;
    fetch.earliest = std::max(activations_.last_use(range), stored_after(tensor, rows));
    plan_.fetches.push_back(fetch);
  }

  // Step after which the given rows of a tensor are all stored.
  int stored_after(int tensor, RowRange rows) const {
    if (tensor == network::image_tensor) return -1;
    const std::vector<int>& steps = steps_of_row_[static_cast<std::size_t>(tensor)];
    return *std::max_element(steps.begin() + rows.first, steps.begin() + rows.end());
  }

  const network::IntegerNetwork& network_;
  const hw::HardwareConfig& hardware_;
  TileStream weights_;
  TileStream parameters_;
  Occupancy activations_;
  Plan plan_;
  int index_ = 0;
  std::uint32_t base_ = 0;
  std::array<std::optional<Held>, 2> inputs_;
  std::array<std::optional<Held>, 2> residuals_;
  std::vector<int> register_of_;                // by layer; −1: no step adapter
  std::vector<std::vector<int>> steps_of_row_;  // by layer and output row
};

}  // namespace

Plan make_plan(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware) {
  return Planner(network, hardware).run();
}

}  // namespace abacus::schedule
