#include "models/compute/compute_unit.hpp"

#include <algorithm>
#include <cstring>
#include <list>
#include <string>

namespace abacus::models {
namespace {

// Channels that a tile reads of an input pixel.
int channels_read(const hw::ConvolveFields& f) {
  return f.depthwise ? f.columns : f.input_channels;
}

ScaleFormat scale_format(const hw::ConvolveFields& f) {
  ScaleFormat format;
  format.shift = f.shift;
  format.relu = f.relu != 0;
  format.has_residual = f.has_residual != 0;
  format.residual_multiplier = f.residual_multiplier;
  format.residual_shift = f.residual_shift;
  format.output = f.output_format;
  format.residual = f.residual_format;
  format.output_channels = f.output_channels;
  return format;
}

// Rows of accumulators worked on at once: about what the first-level cache holds besides operands.
constexpr int accumulators_at_once = 2048;

}  // namespace

ComputeUnit::ComputeUnit(const sc_core::sc_module_name& name, const hw::HardwareConfig& config,
                         Context& shared, TokenCounters& tokens, Sram& activation_sram,
                         Sram& weight_sram, Sram& parameter_sram, CpuTarget target,
                         const std::string& engine)
    : ExecutionUnit(name, shared, tokens, config.command_queue, Unit::compute_array),
      hardware_(config),
      activation_sram_(activation_sram),
      weight_sram_(weight_sram),
      parameter_sram_(parameter_sram),
      main_(Component::pe_array, config.array, target, engine),
      edge_(Component::edge_array, config.edge_array, target, engine),
      read_quantizer_(target),
      vector_unit_(config.vector_unit),
      step_adapter_(config.step_adapter) {
  // A program finds no weights in the PEs, whatever ran before it.
  shared.on_program_start([this] {
    main_.array.forget();
    edge_.array.forget();
    step_adapter_.forget();
  });
}

Unit ComputeUnit::unit_of(const hw::Command& command) const {
  if (command.opcode == hw::Opcode::adapt) return Unit::step_adapter;
  if (command.opcode != hw::Opcode::convolve) return Unit::compute_vector;
  return command.convolve.edge_array ? Unit::compute_edge : Unit::compute_array;
}

void ComputeUnit::execute(const hw::Command& command) {
  const int layer = layer_of(command);
  switch (command.opcode) {
    case hw::Opcode::convolve:
      return convolve(command.convolve, layer);
    case hw::Opcode::add:
      return add(command.vector, layer);
    case hw::Opcode::pool:
      return pool(command.vector, layer);
    case hw::Opcode::adapt:
      return adapt(command.adapt, layer);
    default:
      throw CommandError("opcode " + std::to_string(static_cast<int>(command.opcode)) +
                         ": the compute unit executes convolve, add, pool and adapt only");
  }
}

ReadFormat ComputeUnit::read_format(const hw::ConvolveFields& f) const {
  ReadFormat format = models::read_format(f, f.step_register != 0);
  if (format.adapted) format.multiplier = step_adapter_.step(f.step_register - 1).read_multiplier;
  return format;
}

void ComputeUnit::convolve(const hw::ConvolveFields& fields, int layer) {
  Lane& used = lane(fields);
  check_convolve(fields, used.array, sizes(), step_adapter_.config());
  if (fields.step_register != 0 && !step_adapter_.step(fields.step_register - 1).set) {
    throw CommandError("convolve: step_register is " + std::to_string(fields.step_register) +
                       ", but no adapt command has set that step");
  }
  check_scale_records(fields, parameter_sram_.data() + fields.parameter_address);
  if (fields.keep_weights &&
      !used.array.holds(tap_format(fields, used.array.config()), array_tile(fields))) {
    throw CommandError("convolve: keep_weights is 1, but " + to_string(used.array.component()) +
                       " holds no weights of this tile's kernel, channels, columns and widths");
  }
  try {
    compute_tile(used, fields, layer);
  } catch (const EngineDifference& difference) {
    throw CommandError("convolve: engines of " + to_string(used.array.component()) +
                       " differ in the tile of " + std::to_string(fields.output_height) +
                       " output rows from " + std::to_string(fields.first_output_row) + ", " +
                       std::to_string(fields.columns) + " channels: " + difference.what());
  }
  if (context().timed()) spend_convolve(used, fields, layer);
}

void ComputeUnit::compute_tile(Lane& used, const hw::ConvolveFields& fields, int layer) {
  const OperandLayout& layout = used.array.set_format(tap_format(fields, used.array.config()));
  const hw::ArrayTile array = array_tile(fields);
  const WeightShape shape = weight_shape(array);
  // Weights that do not stay in the PEs come from the SRAM again.
  if (!fields.keep_weights || !used.array.weights_stay(array)) {
    used.array.load_weights(array, weight_sram_.data() + fields.weight_address);
  }
  const ScalePlan& scale_plan =
      used.scale_unit.set_parameters(scale_format(fields), scale_records(fields, layer),
                                     fields.columns, used.array.largest_accumulator());

  const TapGeometry geometry{fields.kernel, fields.stride, shape.channel_groups(),
                             shape.column_blocks(), fields.output_width};
  const int operand_rows = (fields.output_height - 1) * fields.stride + fields.kernel;
  const std::uint8_t* input = activation_sram_.data() + fields.input_address;
  int first_stored_row = fields.first_input_row;
  if (fields.depthwise) {
    input = cut_out_channels(fields);
    first_stored_row = input_rows(fields).first;
  }
  const ReadTile tile{fields.input_height,
                      fields.input_width,
                      channels_read(fields),
                      first_stored_row,
                      fields.first_output_row * fields.stride - fields.padding,
                      operand_rows,
                      fields.padding,
                      geometry.operand_width()};
  read_quantizer_.read(read_format(fields), layout, tile, input,
                       used.array.operands(geometry, operand_rows));
  used.array.take_operands(geometry, operand_rows);

  const auto row_bytes = [&](hw::ElementFormat format) {
    return std::size_t{fields.output_width} * fields.output_channels * element_bytes(format);
  };
  const int stride = used.array.accumulator_stride();
  const int rows_at_once = std::max(1, accumulators_at_once / (int{fields.output_width} * stride));
  std::uint8_t* output = activation_sram_.data() + fields.output_address;
  const std::uint8_t* residual = activation_sram_.data() + fields.residual_address;
  std::int64_t saturations = 0;
  for (int row = 0; row < fields.output_height; row += rows_at_once) {
    const int rows = std::min(rows_at_once, fields.output_height - row);
    const std::int32_t* accumulators = used.array.accumulate(row, rows, saturations);
    used.scale_unit.run(
        rows * fields.output_width, accumulators, stride,
        output + row * row_bytes(fields.output_format),
        fields.has_residual ? residual + row * row_bytes(fields.residual_format) : nullptr);
  }
  if (saturations != 0) {
    context().accumulator_saturations += saturations;
    if (layer >= 0) {
      auto& by_layer = context().saturations_by_layer;
      if (by_layer.size() <= static_cast<std::size_t>(layer)) {
        by_layer.resize(static_cast<std::size_t>(layer) + 1);
      }
      by_layer[static_cast<std::size_t>(layer)] += saturations;
    }
  }
  if (fields.channel_sums != hw::ChannelSums::none) gather(fields, scale_plan, layer);
  if (activation_sram_.faults_pending()) report_writes(fields, scale_plan);
}

const std::uint8_t* ComputeUnit::cut_out_channels(const hw::ConvolveFields& fields) {
  const InputRows rows = input_rows(fields);
  const auto element = static_cast<std::size_t>(element_bytes(fields.input_format));
  const std::size_t pixel = fields.input_channels * element;
  const std::size_t wanted = fields.columns * element;
  const std::size_t pixels = static_cast<std::size_t>(rows.end - rows.first) * fields.input_width;
  const std::uint8_t* from =
      activation_sram_.data() + fields.input_address + fields.first_channel * element +
      static_cast<std::size_t>(rows.first - fields.first_input_row) * fields.input_width * pixel;
  std::uint8_t* to = depthwise_input_.reserve(pixels * wanted);
  for (std::size_t i = 0; i < pixels; ++i) {
    std::memcpy(to + i * wanted, from + i * pixel, wanted);
  }
  return to;
}

const std::uint8_t* ComputeUnit::scale_records(const hw::ConvolveFields& fields, int layer) {
  const std::uint8_t* records = parameter_sram_.data() + fields.parameter_address;
  if (fields.step_register == 0) return records;
  const int factor = step_adapter_.step(fields.step_register - 1).factor;
  adapted_records_.resize(fields.columns);
  std::memcpy(adapted_records_.data(), records, fields.columns * sizeof(hw::ScaleRecord));
  std::int64_t saturations = 0;
  for (hw::ScaleRecord& record : adapted_records_) {
    record.multiplier = StepAdapter::scaled(record.multiplier, factor, saturations);
  }
  // An output channel counts once, not with each of its tiles.
  if (fields.first_output_row == 0) context().step_saturations(layer).multipliers += saturations;
  return reinterpret_cast<const std::uint8_t*>(adapted_records_.data());
}

void ComputeUnit::gather(const hw::ConvolveFields& fields, const ScalePlan& plan, int layer) {
  step_adapter_.begin(fields.channel_sums);
  const std::uint8_t* output = activation_sram_.data() + fields.output_address;
  const std::size_t pixels = std::size_t{fields.output_height} * fields.output_width;
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t column = 0; column < fields.columns; ++column) {
      const int channel = plan.channel[column];
      step_adapter_.add(
          fields.first_sum_channel + channel,
          load_element(output, pixel * fields.output_channels + channel, fields.output_format));
    }
  }
  StepAdapter::count_sums(context().activity, layer,
                          static_cast<std::int64_t>(pixels) * fields.columns);
}

void ComputeUnit::gather(const hw::VectorFields& fields, int layer) {
  if (fields.channel_sums == hw::ChannelSums::none) return;
  step_adapter_.begin(fields.channel_sums);
  const std::uint8_t* output = activation_sram_.data() + fields.output_address;
  const std::size_t elements = std::size_t{fields.height} * fields.width * fields.channels;
  for (std::size_t i = 0; i < elements; ++i) {
    step_adapter_.add(static_cast<int>(i % fields.channels),
                      load_element(output, i, fields.output_format));
  }
  StepAdapter::count_sums(context().activity, layer, static_cast<std::int64_t>(elements));
}

void ComputeUnit::adapt(const hw::AdaptFields& fields, int layer) {
  check_adapt(fields, sizes(), step_adapter_.config());
  context().step_saturations(layer) +=
      step_adapter_.adapt(fields, weight_sram_.data() + fields.address);
  if (!context().timed()) return;
  StepAdapter::count_adapt(context().activity, layer, fields);
  spend(compute_time(fields, hardware_), layer);
}

void ComputeUnit::report_writes(const hw::ConvolveFields& fields, const ScalePlan& plan) {
  const auto bytes = static_cast<std::uint32_t>(element_bytes(fields.output_format));
  const std::uint32_t pixels = std::uint32_t{fields.output_height} * fields.output_width;
  for (std::uint32_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t column = 0; column < fields.columns; ++column) {
      activation_sram_.wrote(
          fields.output_address + (pixel * fields.output_channels + plan.channel[column]) * bytes,
          bytes);
    }
  }
}

void ComputeUnit::spend_convolve(const Lane& used, const hw::ConvolveFields& fields, int layer) {
  const hw::ArrayTile tile = array_tile(fields);
  const bool filled = used.array.weights_stay(tile) && !fields.keep_weights;
  const ComputeTime time = compute_time(fields, hardware_, used.array.table_waits());
  Activity& activity = context().activity;
  used.array.count(activity, layer, tap_format(fields, used.array.config()), tile, filled);
  read_quantizer_.count(activity, layer, read_format(fields), time.operands);
  used.scale_unit.count(activity, layer, scale_format(fields), tile.outputs());
  if (fields.step_register != 0) StepAdapter::count_scaling(activity, layer, fields.columns);
  spend(time, layer);
}

void ComputeUnit::spend(const ComputeTime& time, int layer) {
  const sc_core::sc_time start = sc_core::sc_time_stamp();
  for (int i = 0; i < time.count; ++i) {
    const ComputePhase& phase = time.phases[static_cast<std::size_t>(i)];
    activation_sram_.count_reads(layer, phase.activation_reads);
    activation_sram_.count_writes(layer, phase.activation_writes);
    weight_sram_.count_reads(layer, phase.weight_reads);
    parameter_sram_.count_reads(layer, phase.parameter_reads);
    work(phase, {{activation_sram_, phase.activation_reads + phase.activation_writes},
                 {weight_sram_, phase.weight_reads},
                 {parameter_sram_, phase.parameter_reads}});
  }
  add_stalled(sc_core::sc_time_stamp() - start -
              context().cycles(static_cast<double>(time.undisturbed)));
}

void ComputeUnit::work(const ComputePhase& phase, std::initializer_list<Demand> demands) {
  using sc_core::sc_time;
  struct Access {
    explicit Access(const Demand& demand)
        : stream(demand.sram, demand.accesses), cause(demand.sram.ports_cause()) {}
    Sram::Stream stream;
    Cause cause;
  };
  const auto time_of = [this](std::int64_t cycles) {
    return context().cycles(static_cast<double>(cycles));
  };
  std::list<Access> accesses;
  for (const Demand& demand : demands) {
    if (demand.accesses != 0) accesses.emplace_back(demand);
  }
  const sc_time own_end = sc_core::sc_time_stamp() + time_of(phase.cycles);
  const sc_time latency = time_of(phase.latency);
  Cause slowest = Cause::work;
  sc_time end;
  for (;;) {
    end = own_end;
    for (Access& access : accesses) {
      const sc_time served = access.stream.served();
      if (served > end) slowest = access.cause;
      end = std::max(end, served);
    }
    if (end + latency <= sc_core::sc_time_stamp()) break;
    wait(end + latency - sc_core::sc_time_stamp());
  }
  ExecutionUnit::spend(Cause::weight_fill, time_of(phase.fill));
  ExecutionUnit::spend(Cause::work, time_of(phase.work()));
  ExecutionUnit::spend(Cause::lookup_table, time_of(phase.table));
  ExecutionUnit::spend(Cause::scale_unit, time_of(phase.scale));
  ExecutionUnit::spend(slowest, end - own_end);
  ExecutionUnit::spend(Cause::pipeline, latency);
}

void ComputeUnit::add(const hw::VectorFields& fields, int layer) {
  check_add(fields, sizes(), step_adapter_.config());
  AddFormat format;
  format.first = fields.input_format;
  format.second = fields.second_format;
  format.output = fields.output_format;
  format.multiplier = fields.multiplier;
  format.second_multiplier = fields.second_multiplier;
  format.left_shift = fields.left_shift;
  format.second_left_shift = fields.second_left_shift;
  format.shift = fields.shift;
  format.relu = fields.relu != 0;
  const std::size_t elements = std::size_t{fields.height} * fields.width * fields.channels;
  std::uint8_t* memory = activation_sram_.data();
  vector_unit_.add(format, elements, memory + fields.input_address, memory + fields.second_address,
                   memory + fields.output_address);
  const std::uint64_t written = elements * element_bytes(format.output);
  gather(fields, layer);
  activation_sram_.wrote(fields.output_address, static_cast<std::uint32_t>(written));
  if (!context().timed()) return;
  vector_unit_.count_add(context().activity, layer, format, static_cast<std::int64_t>(elements));
  spend(compute_time(fields, false, hardware_), layer);
}

void ComputeUnit::pool(const hw::VectorFields& fields, int layer) {
  check_pool(fields, sizes(), step_adapter_.config());
  PoolFormat format;
  format.input = fields.input_format;
  format.output = fields.output_format;
  format.kernel = fields.kernel;
  format.stride = fields.stride;
  format.maximum = fields.maximum != 0;
  format.multiplier = fields.multiplier;
  format.shift = fields.shift;
  format.bias = fields.bias;
  format.height = fields.height;
  format.width = fields.width;
  format.channels = fields.channels;
  format.input_width = fields.input_width;
  std::uint8_t* memory = activation_sram_.data();
  vector_unit_.pool(format, memory + fields.input_address, memory + fields.output_address);
  const std::uint64_t outputs = std::uint64_t{fields.height} * fields.width * fields.channels;
  const std::uint64_t written = outputs * element_bytes(format.output);
  gather(fields, layer);
  activation_sram_.wrote(fields.output_address, static_cast<std::uint32_t>(written));
  if (!context().timed()) return;
  vector_unit_.count_pool(context().activity, layer, format);
  spend(compute_time(fields, true, hardware_), layer);
}

}  // namespace abacus::models
