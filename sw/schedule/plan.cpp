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
  Planner(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware,
          double time_tolerance)
      : network_(network),
        hardware_(hardware),
        weights_(FetchKind::weights, hardware.weight_sram.bytes),
        parameters_(FetchKind::parameters, hardware.parameter_sram.bytes),
        register_of_(network.layers.size(), -1),
        rows_there_(network.layers.size() + 1, 0) {
    plan_.placement = place_tensors(network, hardware, time_tolerance);
  }

  Plan run() {
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
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
  const LayerTiling& tiling() const { return plan_.tiling(index_); }

  void begin_layer(int index) {
    index_ = index;
    inputs_ = {};
    residuals_ = {};
    steps_of_row_.emplace_back(static_cast<std::size_t>(layer().output.shape.height), -1);

    if (layer().kind != network::IntegerLayerKind::convolution) return;
    const int input_channels = network_.tensor(layer().input).shape.channels;
    std::vector<std::uint64_t> weight_bytes;
    std::vector<std::uint64_t> record_bytes;
    for (const ColumnTile& tile : tiling().columns) {
      weight_bytes.push_back(
          align_up(packed_weight_bytes(layer(), input_channels, tile.columns()), tile_alignment));
      record_bytes.push_back(align_up(
          static_cast<std::uint64_t>(tile.columns()) * sizeof(hw::ScaleRecord), tile_alignment));
    }
    const bool several_passes = tiling().several_passes();
    weights_.begin_layer(index, weight_bytes, tiling().weights_resident && several_passes);
    parameters_.begin_layer(index, record_bytes, tiling().parameters_resident && several_passes);
  }

  void finish_layer() {
    // An output tile is complete with its last step.
    std::vector<bool> complete(tiling().spatial.size(), false);
    for (auto step = plan_.steps.rbegin(); step != plan_.steps.rend() && step->layer == index_;
         ++step) {
      if (step->adapts) continue;
      std::vector<bool>::reference done = complete[static_cast<std::size_t>(step->spatial)];
      step->completes_output = tiling().compact() || !done;
      done = true;
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
    const bool columns_outer = tiling().order == LoopOrder::columns_outer;
    const int outer = columns_outer ? columns : spatial;
    const int inner = columns_outer ? spatial : columns;
    for (int i = 0; i < outer; ++i) {
      for (int k = 0; k < inner; ++k) {
        const int j = i % 2 == 0 ? k : inner - 1 - k;
        columns_outer ? visit(j, i) : visit(i, j);
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
    if (layer().residual != network::no_tensor) {
      step.residual_address = use_residual(spatial, column, number);
    }
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

  const SpatialTile& tile(int spatial) const {
    return tiling().spatial[static_cast<std::size_t>(spatial)];
  }

  std::uint32_t use_input(int spatial, int step) {
    const RowRange rows = tile(spatial).input;
    if (tiling().places.input != Source::streamed) {
      return use_stay(FetchKind::input, layer().input, rows, step);
    }
    const std::size_t slot = slot_of(spatial);
    const AddressRange range = buffer(tiling().input_buffers[slot], tiling().input_bytes);
    std::optional<Held>& held = inputs_[slot];
    if (!held || held->spatial != spatial) {
      held = Held{spatial, 0};
      add_fetch(FetchKind::input, 0, range, step, layer().input, rows);
    }
    activations_.touch(range, step);
    return static_cast<std::uint32_t>(range.begin);
  }

  std::uint32_t use_residual(int spatial, int column, int step) {
    const RowRange rows = tile(spatial).output;
    if (tiling().places.residual != Source::streamed) {
      return use_stay(FetchKind::residual, layer().residual, rows, step);
    }
    const std::size_t slot = slot_of(spatial);
    const AddressRange range = buffer(tiling().residual_buffers[slot], tiling().residual_bytes);
    std::optional<Held>& held = residuals_[slot];
    const int wanted_column = tiling().compact() ? column : 0;
    if (!held || held->spatial != spatial || held->column != wanted_column) {
      held = Held{spatial, wanted_column};
      add_fetch(FetchKind::residual, wanted_column, range, step, layer().residual, rows);
    }
    activations_.touch(range, step);
    return static_cast<std::uint32_t>(range.begin);
  }

  std::uint32_t use_output(int spatial, int step) {
    if (tiling().places.output_stays) {
      const AddressRange range = stay_rows(index_, tile(spatial).output);
      activations_.touch(range, step);
      return static_cast<std::uint32_t>(range.begin);
    }
    const AddressRange range =
        buffer(tiling().output_buffers[slot_of(spatial)], tiling().output_bytes);
    activations_.touch(range, step);
    return static_cast<std::uint32_t>(range.begin);
  }

  // Rows of a tensor that stands, or comes to stand, as a whole; those that are not there yet are
  // fetched.
  std::uint32_t use_stay(FetchKind kind, int tensor, RowRange rows, int step) {
    const Stay& stay = *plan_.placement.stays[index_of_tensor(tensor)];
    int& there = rows_there_[index_of_tensor(tensor)];
    if (!stay.computed() && rows.end() > there) {
      const RowRange missing{there, rows.end() - there};
      there = rows.end();
      add_fetch(kind, 0, stay_rows(tensor, missing), step, tensor, missing);
    }
    const AddressRange range = stay_rows(tensor, rows);
    activations_.touch(range, step);
    return static_cast<std::uint32_t>(range.begin);
  }

  // Where rows of a tensor that stays stand.
  AddressRange stay_rows(int tensor, RowRange rows) const {
    const std::uint64_t row = row_bytes(network_.tensor(tensor));
    const std::uint64_t place = plan_.placement.stays[index_of_tensor(tensor)]->address;
    return {place + row * static_cast<std::uint64_t>(rows.first),
            place + row * static_cast<std::uint64_t>(rows.end())};
  }

  std::size_t slot_of(int spatial) const {
    return static_cast<std::size_t>(spatial % tiling().buffers);
  }
  static AddressRange buffer(std::uint32_t address, std::uint64_t bytes) {
    return {address, address + bytes};
  }

  void add_fetch(FetchKind kind, int column, const AddressRange& range, int step, int tensor,
                 RowRange rows) {
    Fetch fetch;
    fetch.kind = kind;
    fetch.layer = index_;
    fetch.rows = rows;
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
  std::array<std::optional<Held>, 2> inputs_;
  std::array<std::optional<Held>, 2> residuals_;
  std::vector<int> register_of_;  // by layer; −1: no step adapter
  std::vector<int> rows_there_;   // of tensors that were fetched to stay, by index_of_tensor
  std::vector<std::vector<int>> steps_of_row_;  // by layer and output row
};

}  // namespace

Plan make_plan(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware,
               double time_tolerance) {
  return Planner(network, hardware, time_tolerance).run();
}

}  // namespace abacus::schedule
