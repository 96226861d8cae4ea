#include "sw/schedule/emitter.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

#include "sw/schedule/address_space.hpp"
#include "sw/schedule/dependency_tracker.hpp"

namespace abacus::schedule {
namespace {

using Memory = MemoryAccess::Memory;

const SpatialTile& spatial_tile(const Plan& plan, int layer, int spatial) {
  return plan.tiling(layer).spatial[static_cast<std::size_t>(spatial)];
}

const ColumnTile& column_tile(const Plan& plan, int layer, int column) {
  return plan.tiling(layer).columns[static_cast<std::size_t>(column)];
}

// Whether an output tile is stored after the step.
bool stores(const Plan& plan, const Step& step) {
  return step.completes_output && plan.tiling(step.layer).places.output_stored;
}

hw::ElementFormat format_of(const network::StoredTensor& tensor) {
  return {static_cast<std::uint8_t>(tensor.bits), static_cast<std::uint8_t>(tensor.is_signed)};
}

template <typename Field>
void set(Field& field, std::int64_t value) {
  field = static_cast<Field>(value);
}

std::uint64_t pixels_of(const network::StoredTensor& tensor, int rows) {
  return static_cast<std::uint64_t>(rows) * tensor.shape.width;
}

void set_terms(hw::ConvolveFields& fields, const network::IntegerLayer& layer) {
  fields.first_term_bits = 0;
  while (std::size_t{1} << fields.first_term_bits < layer.first_exponents.size()) {
    ++fields.first_term_bits;
  }
  std::fill(std::begin(fields.exponents), std::end(fields.exponents), hw::no_term);
  const auto put = [&](const std::vector<int>& exponents, int place) {
    for (const int exponent : exponents) {
      set(fields.exponents[place++], exponent == network::no_exponent ? hw::no_term : exponent);
    }
  };
  put(layer.first_exponents, 0);
  put(layer.second_exponents, hw::term_exponents);
}

class Emitter {
 public:
  Emitter(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware,
          const Plan& plan, const MemoryMap& map)
      : network_(network),
        plan_(plan),
        map_(map),
        tiles_ahead_(static_cast<std::size_t>(std::max(2, hardware.command_queue / 2))),
        emitted_(plan.fetches.size(), false) {}

  Emission run() {
    for (std::size_t step = 0; step < plan_.steps.size(); ++step) {
      fetch_for(static_cast<int>(step));
      emit_compute(plan_.steps[step]);
      if (stores(plan_, plan_.steps[step])) emit_store(plan_.steps[step]);
      fetch_ahead_of(static_cast<int>(step));
    }
    tracker_.add_finish();
    return {tracker_.commands(), std::move(tiles_)};
  }

 private:
  // All that the step needs.
  void fetch_for(int step) {
    const std::vector<Fetch>& fetches = plan_.fetches;
    while (due_ < fetches.size() && fetches[due_].needed <= step) {
      if (!emitted_[due_]) {
        if (fetches[due_].earliest >= step) {
          throw std::logic_error("the plan overwrites a buffer that is still in use");
        }
        emit_fetch(due_);
      }
      ++due_;
    }
  }

  // What later steps need, as far as its place is free when the step begins, up to the end of the next
  // layer: behind the step's own command, which a full queue of loads must not keep from its unit.
  void fetch_ahead_of(int step) {
    const std::vector<Fetch>& fetches = plan_.fetches;
    // Weights and scale records are few and early; were they not
    // bounded, they would fill the load unit's queue and keep the sequencer from what comes behind.
    const int last_layer = plan_.steps[static_cast<std::size_t>(step)].layer + 1;
    std::size_t ahead = 0;
    for (std::size_t i = due_; i < fetches.size() && fetches[i].layer <= last_layer; ++i) {
      const bool tile = fetches[i].kind == FetchKind::weights ||
                        fetches[i].kind == FetchKind::parameters ||
                        fetches[i].kind == FetchKind::adapter;
      if (tile && ++ahead > tiles_ahead_) continue;
      if (!emitted_[i] && fetches[i].earliest < step) emit_fetch(i);
    }
  }

  void emit_fetch(std::size_t index) {
    emitted_[index] = true;
    emit_fetch(plan_.fetches[index]);
  }

  void emit_fetch(const Fetch& fetch) {
    const std::size_t layer = static_cast<std::size_t>(fetch.layer);
    switch (fetch.kind) {
      case FetchKind::weights: {
        const int channels = network_.tensor(network_.layers[layer].input).shape.channels;
        std::uint64_t bytes = 0;
        for_each_column(fetch, [&](const ColumnTile& tile) {
          bytes = align_up(bytes, tile_alignment) +
                  packed_weight_bytes(network_.layers[layer], channels, tile.columns());
        });
        const std::size_t first = static_cast<std::size_t>(fetch.first_column);
        load_block(fetch, map_.layers[layer].weights[first], bytes, hw::OnChipMemory::weight);
        break;
      }
      case FetchKind::parameters: {
        std::uint64_t bytes = 0;
        for_each_column(fetch, [&](const ColumnTile& tile) {
          bytes = align_up(bytes, tile_alignment) +
                  static_cast<std::uint64_t>(tile.columns()) * sizeof(hw::ScaleRecord);
        });
        const std::size_t first = static_cast<std::size_t>(fetch.first_column);
        load_block(fetch, map_.layers[layer].parameters[first], bytes, hw::OnChipMemory::parameter);
        break;
      }
      case FetchKind::input: {
        const int input = network_.layers[layer].input;
        const AddressRange rows = tensor_rows(input, fetch.rows);
        load_block(fetch, rows.begin, rows.end - rows.begin, hw::OnChipMemory::activation);
        break;
      }
      case FetchKind::residual:
        emit_residual(fetch);
        break;
      case FetchKind::adapter:
        load_block(fetch, map_.layers[layer].adapter,
                   adapter_bytes(*network_.layers[layer].adapter), hw::OnChipMemory::weight);
        break;
    }
  }

  template <typename Visit>
  void for_each_column(const Fetch& fetch, const Visit& visit) const {
    for (int i = 0; i < fetch.column_count; ++i) {
      visit(column_tile(plan_, fetch.layer, fetch.first_column + i));
    }
  }

  void load_block(const Fetch& fetch, std::uint64_t address, std::uint64_t bytes,
                  hw::OnChipMemory memory) {
    hw::TransferFields transfer{};
    transfer.dram_address = address;
    transfer.onchip_address = fetch.address;
    set(transfer.row_bytes, static_cast<std::int64_t>(bytes));
    transfer.rows = 1;
    transfer.memory = memory;
    const AddressRange place{fetch.address, fetch.address + bytes};
    const Memory target = memory == hw::OnChipMemory::activation ? Memory::activation
                          : memory == hw::OnChipMemory::weight   ? Memory::weight
                                                                 : Memory::parameter;
    add_transfer(CommandUnit::load, fetch.layer, transfer,
                 {{Memory::dram, {address, address + bytes}, false}, {target, place, true}});
  }

  void emit_residual(const Fetch& fetch) {
    const int tensor = network_.layers[static_cast<std::size_t>(fetch.layer)].residual;
    move_output_tile(CommandUnit::load, fetch.layer, fetch.first_column, tensor, fetch.rows,
                     fetch.address);
  }

  void emit_store(const Step& step) {
    const RowRange rows = spatial_tile(plan_, step.layer, step.spatial).output;
    move_output_tile(CommandUnit::store, step.layer, step.column, step.layer, rows,
                     step.output_address);
  }

  // Moves rows of a tensor, or one column tile's channels of them, between DRAM and activation
  // SRAM.
  void move_output_tile(CommandUnit unit, int layer, int column, int tensor_index, RowRange rows,
                        std::uint32_t onchip) {
    const network::StoredTensor& tensor = network_.tensor(tensor_index);
    const AddressRange region = tensor_rows(tensor_index, rows);
    const bool load = unit == CommandUnit::load;
    const LayerTiling& tiling = plan_.tiling(layer);
    hw::TransferFields transfer{};
    transfer.memory = hw::OnChipMemory::activation;
    transfer.residual = load ? 1 : 0;  // output tiles are loaded as residuals only
    if (!tiling.compact()) {
      transfer.dram_address = region.begin;
      transfer.onchip_address = onchip;
      set(transfer.row_bytes, static_cast<std::int64_t>(region.end - region.begin));
      transfer.rows = 1;
      const AddressRange place{onchip, onchip + transfer.row_bytes};
      add_transfer(unit, layer, transfer,
                   {{Memory::dram, region, !load}, {Memory::activation, place, load}});
      return;
    }
    const ColumnTile& tile = column_tile(plan_, layer, column);
    const std::uint64_t element = static_cast<std::uint64_t>(tensor.element_bytes());
    const std::uint64_t pixels = pixels_of(tensor, rows.count);
    const AddressRange place{
        onchip, onchip + pixels * static_cast<std::uint64_t>(tile.columns()) * element};
    for (const ChannelRun& run : channel_runs(tile)) {
      transfer.dram_address =
          region.begin + static_cast<std::uint64_t>(run.first_channel) * element;
      set(transfer.onchip_address,
          static_cast<std::int64_t>(onchip +
                                    static_cast<std::uint64_t>(run.first_column) * element));
      set(transfer.row_bytes, static_cast<std::int64_t>(run.count * tensor.element_bytes()));
      set(transfer.rows, static_cast<std::int64_t>(pixels));
      set(transfer.dram_stride, tensor.shape.channels * tensor.element_bytes());
      set(transfer.onchip_stride, tile.columns() * tensor.element_bytes());
      add_transfer(unit, layer, transfer,
                   {{Memory::dram, region, !load}, {Memory::activation, place, load}});
    }
  }

  void add_transfer(CommandUnit unit, int layer, const hw::TransferFields& transfer,
                    const std::vector<MemoryAccess>& accesses) {
    hw::Command command{};
    command.opcode = unit == CommandUnit::load ? hw::Opcode::load : hw::Opcode::store;
    set(command.layer, layer);
    command.transfer = transfer;
    tracker_.add(unit, command, accesses);
  }

  void emit_adapt(const Step& step) {
    const network::IntegerLayer& layer = network_.layers[static_cast<std::size_t>(step.layer)];
    const network::AdapterNetwork& adapter = *layer.adapter;
    hw::Command command{};
    command.opcode = hw::Opcode::adapt;
    set(command.layer, step.layer);
    hw::AdaptFields& f = command.adapt;
    f.address = step.weight_address;
    set(f.channels, network_.tensor(layer.input).shape.channels);
    set(f.hidden, adapter.hidden());
    set(f.pool_multiplier, adapter.pool_multiplier);
    set(f.read_multiplier, layer.read_quantizers.front().multiplier);
    set(f.pool_shift, adapter.pool_shift);
    set(f.first_shift, adapter.first_shift);
    set(f.second_shift, adapter.second_shift);
    set(f.step_register, step.step_register);
    f.second_bias = adapter.second_bias;
    tracker_.add(CommandUnit::compute, command,
                 {{Memory::weight, {step.weight_address, step.weight_address + f.bytes()}, false}});
  }

  // Whether and how a tile's results go into the channel sums.
  hw::ChannelSums channel_sums(const Step& step) const {
    const std::size_t layer = static_cast<std::size_t>(step.layer);
    if (!sums_are_wanted(network_, network_.layers[layer])) return hw::ChannelSums::none;
    const bool first =
        &step == plan_.steps.data() || (&step)[-1].layer != step.layer || (&step)[-1].adapts;
    return first ? hw::ChannelSums::restart : hw::ChannelSums::add;
  }

  void emit_compute(const Step& step) {
    if (step.adapts) return emit_adapt(step);
    hw::Command command{};
    set(command.layer, step.layer);
    const network::IntegerLayer& layer = network_.layers[static_cast<std::size_t>(step.layer)];
    const LayerTiling& tiling = plan_.tiling(step.layer);
    const SpatialTile& rows = spatial_tile(plan_, step.layer, step.spatial);
    const OutputTile output = output_tile(step, layer, tiling, rows.output);
    const auto activation = [](std::uint64_t begin, std::uint64_t bytes, bool write) {
      return MemoryAccess{Memory::activation, {begin, begin + bytes}, write};
    };
    const auto all_rows = [&](int tensor, RowRange range) {
      return row_bytes(network_.tensor(tensor)) * static_cast<std::uint64_t>(range.count);
    };
    std::vector<MemoryAccess> accesses = {
        activation(step.input_address, all_rows(layer.input, rows.input), false),
        activation(step.output_address, output.bytes(layer.output), true)};
    if (layer.residual != network::no_tensor) {
      const std::uint64_t bytes =
          tiling.compact() ? tiling.residual_bytes : all_rows(layer.residual, rows.output);
      accesses.push_back(activation(step.residual_address, bytes, false));
    }
    if (layer.kind == network::IntegerLayerKind::convolution) {
      const ColumnTile& tile = column_tile(plan_, step.layer, step.column);
      const int channels = network_.tensor(layer.input).shape.channels;
      const std::uint64_t weights = packed_weight_bytes(layer, channels, tile.columns());
      const std::uint64_t records =
          static_cast<std::uint64_t>(tile.columns()) * sizeof(hw::ScaleRecord);
      accesses.push_back(
          {Memory::weight, {step.weight_address, step.weight_address + weights}, false});
      accesses.push_back(
          {Memory::parameter, {step.parameter_address, step.parameter_address + records}, false});
      command.opcode = hw::Opcode::convolve;
      command.convolve = convolve_fields(step, layer, tiling, tile);
    } else {
      command.opcode =
          layer.kind == network::IntegerLayerKind::add ? hw::Opcode::add : hw::Opcode::pool;
      command.vector = vector_fields(step, layer);
    }
    tiles_.push_back(output);
    tracker_.add(CommandUnit::compute, command, accesses);
  }

  OutputTile output_tile(const Step& step, const network::IntegerLayer& layer,
                         const LayerTiling& tiling, RowRange rows) const {
    OutputTile output;
    output.command = static_cast<std::uint32_t>(tracker_.commands().size());
    output.layer = step.layer;
    output.first_row = rows.first;
    output.rows = rows.count;
    output.address = step.output_address;
    output.pixel_channels = layer.output.shape.channels;
    if (layer.kind != network::IntegerLayerKind::convolution) {
      for (int i = 0; i < output.pixel_channels; ++i) output.channels.push_back({i, i});
      return output;
    }
    const ColumnTile& tile = column_tile(plan_, step.layer, step.column);
    if (tiling.compact()) output.pixel_channels = tile.columns();
    for (int i = 0; i < tile.columns(); ++i) {
      const int channel = tile.channels[static_cast<std::size_t>(i)];
      output.channels.push_back({tiling.compact() ? i : channel, channel});
    }
    return output;
  }

  hw::ConvolveFields convolve_fields(const Step& step, const network::IntegerLayer& layer,
                                     const LayerTiling& tiling, const ColumnTile& tile) const {
    const network::StoredTensor& input = network_.tensor(layer.input);
    const SpatialTile& rows = spatial_tile(plan_, step.layer, step.spatial);
    const network::ReadQuantizer& quantizer =
        layer.read_quantizers[static_cast<std::size_t>(tile.group)];
    hw::ConvolveFields f{};
    f.input_address = step.input_address;
    f.output_address = step.output_address;
    f.residual_address = step.residual_address;
    f.weight_address = step.weight_address;
    f.parameter_address = step.parameter_address;
    set(f.input_height, input.shape.height);
    set(f.input_width, input.shape.width);
    set(f.input_channels, input.shape.channels);
    set(f.output_width, layer.output.shape.width);
    set(f.output_height, rows.output.count);
    set(f.first_output_row, rows.output.first);
    set(f.first_input_row, rows.input.first);
    set(f.output_channels, tiling.compact() ? tile.columns() : layer.output.shape.channels);
    set(f.columns, tile.columns());
    set(f.kernel, layer.kernel);
    set(f.stride, layer.stride);
    set(f.padding, layer.padding);
    f.edge_array = layer.edge;
    f.taps = layer.arithmetic;
    set(f.weight_bits, layer.weight_bits);
    f.weight_signed = layer.weight_signed;
    set(f.activation_bits, layer.activation_bits);
    f.activation_signed = layer.activation_signed;
    set(f.weight_shift, layer.weight_shift);
    set(f.activation_shift, layer.activation_shift);
    set(f.read_shift, quantizer.shift);
    set(f.read_multiplier, quantizer.multiplier);
    // The hardware's accumulator counts in units of 2^−fraction_bits, and so does its scale unit.
    set(f.fraction_bits, layer.fraction_bits);
    set(f.levels, layer.levels);
    if (layer.arithmetic == network::Arithmetic::apot) set_terms(f, layer);
    set(f.shift, layer.shift + layer.fraction_bits);
    f.relu = layer.relu;
    f.input_format = format_of(input);
    f.output_format = format_of(layer.output);
    f.residual_format = format_of(layer.output);
    if (layer.residual != network::no_tensor) {
      f.has_residual = 1;
      set(f.residual_shift, layer.residual_shift + layer.fraction_bits);
      set(f.residual_multiplier, layer.residual_multiplier);
      f.residual_format = format_of(network_.tensor(layer.residual));
    }
    f.depthwise = layer.depthwise;
    if (layer.depthwise) set(f.first_channel, tile.channels.front());
    f.keep_weights = step.keep_weights;
    set(f.step_register, step.step_register + 1);
    f.channel_sums = channel_sums(step);
    if (f.channel_sums != hw::ChannelSums::none && tiling.compact()) {
      set(f.first_sum_channel, tile.channels.front());
    }
    return f;
  }

  hw::VectorFields vector_fields(const Step& step, const network::IntegerLayer& layer) const {
    const network::StoredTensor& input = network_.tensor(layer.input);
    hw::VectorFields f{};
    f.input_address = step.input_address;
    f.second_address = step.residual_address;
    f.output_address = step.output_address;
    set(f.height, spatial_tile(plan_, step.layer, step.spatial).output.count);
    set(f.width, layer.output.shape.width);
    set(f.channels, layer.output.shape.channels);
    set(f.input_width, input.shape.width);
    set(f.kernel, layer.kernel);
    set(f.stride, layer.stride);
    f.maximum = layer.kind == network::IntegerLayerKind::max_pool;
    f.relu = layer.relu;
    set(f.multiplier, layer.multiplier);
    set(f.left_shift, layer.left_shift);
    set(f.shift, layer.shift);
    f.channel_sums = channel_sums(step);
    f.input_format = format_of(input);
    f.second_format = f.input_format;
    f.output_format = format_of(layer.output);
    if (layer.kind == network::IntegerLayerKind::add) {
      set(f.second_multiplier, layer.residual_multiplier);
      set(f.second_left_shift, layer.residual_shift);
      f.second_format = format_of(network_.tensor(layer.residual));
    }
    f.bias = layer.bias;
    return f;
  }

  // DRAM addresses of full rows of a tensor.
  AddressRange tensor_rows(int tensor, RowRange rows) const {
    const network::StoredTensor& stored = network_.tensor(tensor);
    const TensorPlace& place = tensor == network::image_tensor
                                   ? map_.input
                                   : map_.outputs[static_cast<std::size_t>(tensor)].value();
    const std::uint64_t row = row_bytes(stored);
    return {place.address + row * static_cast<std::uint64_t>(rows.first),
            place.address + row * static_cast<std::uint64_t>(rows.end())};
  }

  const network::IntegerNetwork& network_;
  const Plan& plan_;
  const MemoryMap& map_;
  std::size_t tiles_ahead_;    // weight and parameter fetches before their layer needs them
  std::vector<bool> emitted_;  // by fetch
  std::size_t due_ = 0;        // fetches before this one are needed by now
  DependencyTracker tracker_;
  std::vector<OutputTile> tiles_;
};

}  // namespace

Emission emit_commands(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware,
                       const Plan& plan, const MemoryMap& map) {
  return Emitter(network, hardware, plan, map).run();
}

}  // namespace abacus::schedule
