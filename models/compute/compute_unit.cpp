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

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::int64_t bytes_per_cycle(const Sram& sram) {
  return std::int64_t{sram.config().banks} * sram.config().port_bytes;
}

// Of `outputs` windows along one axis, how many of their positions lie inside the input.
std::int64_t inside_positions(int first_output, int outputs, int kernel, int stride, int padding,
                              int input) {
  std::int64_t inside = 0;
  for (int i = 0; i < outputs; ++i) {
    const int first = (first_output + i) * stride - padding;
    inside += std::max(0, std::min(first + kernel, input) - std::max(first, 0));
  }
  return inside;
}

// From the first column of the input that a row of windows touches to the last one.
std::int64_t seen_columns(const hw::ConvolveFields& f) {
  const int end = (f.output_width - 1) * f.stride - f.padding + f.kernel;
  return std::min(end, int{f.input_width}) - std::max(0, -int{f.padding});
}

// Rows of accumulators worked on at once: about what the first-level cache holds besides operands.
constexpr int accumulators_at_once = 2048;

}  // namespace

ComputeUnit::ComputeUnit(const sc_core::sc_module_name& name, const hw::HardwareConfig& config,
                         Context& shared, TokenCounters& tokens, Sram& activation_sram,
                         Sram& weight_sram, Sram& parameter_sram, CpuTarget target,
                         const std::string& engine)
    : ExecutionUnit(name, shared, tokens, config.command_queue, Unit::compute_array),
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
  ReadFormat format;
  format.stored = f.input_format;
  format.multiplier = f.read_multiplier;
  format.shift = f.read_shift;
  format.activation_bits = f.activation_bits;
  format.activation_signed = f.activation_signed != 0;
  format.sign = f.taps == hw::TapKind::sign_product;
  if (f.step_register != 0) {
    format.adapted = true;
    format.multiplier = step_adapter_.step(f.step_register - 1).read_multiplier;
  }
  return format;
}

ConvolveCycles ComputeUnit::convolve_cycles(const hw::ConvolveFields& fields) const {
  const Lane& used = lane(fields);
  const hw::ArrayTile tile = array_tile(fields);
  ConvolveCycles cycles;
  const std::int64_t parameters = std::int64_t{fields.columns} * sizeof(hw::ScaleRecord);
  cycles.fill = ceil_divide(parameters, bytes_per_cycle(parameter_sram_));
  if (!fields.keep_weights && used.array.weights_stay(tile)) {
    const auto bytes =
        static_cast<std::int64_t>(weight_shape(tile).packed_bytes(fields.weight_bits));
    cycles.fill = std::max(cycles.fill, ceil_divide(bytes, bytes_per_cycle(weight_sram_)));
  }
  cycles.latency = activation_sram_.config().latency_cycles +
                   read_quantizer_.latency_cycles(read_format(fields));
  cycles.issue = used.array.issue_cycles(tile);
  cycles.scale = used.scale_unit.cycles(tile.outputs());
  cycles.table =
      used.array.table_waits() * std::int64_t{fields.output_height} * fields.output_width;
  cycles.depth = used.array.pipeline_depth();
  return cycles;
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
  const std::int64_t reads = weight_sram_.accesses(fields.bytes());
  weight_sram_.count_reads(layer, reads);
  StepAdapter::count_adapt(context().activity, layer, fields);
  const sc_core::sc_time start = sc_core::sc_time_stamp();
  const std::int64_t cycles = step_adapter_.cycles(fields);
  work({{Cause::work, cycles}}, 0, {{weight_sram_, reads}});
  count_stalled(start, cycles);
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
  const ConvolveCycles cycles = convolve_cycles(fields);
  const bool stay = used.array.weights_stay(tile);
  const bool filled = stay && !fields.keep_weights;
  const sc_core::sc_time start = sc_core::sc_time_stamp();

  // Weights and parameters first.
  const std::uint64_t weight_bytes = weight_shape(tile).packed_bytes(fields.weight_bits);
  const std::int64_t parameters =
      parameter_sram_.accesses(std::uint64_t{fields.columns} * sizeof(hw::ScaleRecord));
  const std::int64_t weights = filled ? weight_sram_.accesses(weight_bytes) : 0;
  parameter_sram_.count_reads(layer, parameters);
  weight_sram_.count_reads(layer, weights);
  work({{Cause::weight_fill, cycles.fill}}, cycles.latency,
       {{parameter_sram_, parameters}, {weight_sram_, weights}});

  // Then inputs, results and residual side by side.
  const std::int64_t rows =
      inside_positions(fields.first_output_row, fields.output_height, fields.kernel, fields.stride,
                       fields.padding, fields.input_height);
  const std::int64_t columns = inside_positions(0, fields.output_width, fields.kernel,
                                                fields.stride, fields.padding, fields.input_width);
  const hw::InsideWindows inside{rows * columns, rows * std::min(columns, seen_columns(fields))};
  const hw::PeArrayConfig& array = used.array.config();
  const hw::Dataflow& dataflow = used.array.dataflow();
  const auto accesses = [&](const hw::OperandAccess& access, int bytes) {
    return access.times *
           activation_sram_.accesses(static_cast<std::uint64_t>(access.elements * bytes));
  };
  std::int64_t reads = 0;
  std::int64_t elements = 0;
  for (const hw::OperandAccess& access : dataflow.activation_reads(array, tile, inside)) {
    reads += accesses(access, element_bytes(fields.input_format));
    elements += access.elements * access.times;
  }
  const hw::OperandAccess outputs = dataflow.output_writes(array, tile);
  if (fields.has_residual) reads += accesses(outputs, element_bytes(fields.residual_format));
  const std::int64_t writes = accesses(outputs, element_bytes(fields.output_format));
  const std::int64_t streamed = weight_sram_.accesses(
      static_cast<std::uint64_t>(dataflow.weight_passes(array, tile)) * weight_bytes);
  activation_sram_.count_reads(layer, reads);
  activation_sram_.count_writes(layer, writes);
  weight_sram_.count_reads(layer, streamed);

  Activity& activity = context().activity;
  used.array.count(activity, layer, tap_format(fields, used.array.config()), tile, filled);
  read_quantizer_.count(activity, layer, read_format(fields), elements);
  used.scale_unit.count(activity, layer, scale_format(fields), tile.outputs());
  if (fields.step_register != 0) StepAdapter::count_scaling(activity, layer, fields.columns);

  const std::int64_t array_cycles = cycles.issue + cycles.table;
  work({{Cause::work, cycles.issue},
        {Cause::lookup_table, cycles.table},
        {Cause::scale_unit, std::max<std::int64_t>(0, cycles.scale - array_cycles)}},
       cycles.depth, {{activation_sram_, reads + writes}, {weight_sram_, streamed}});
  count_stalled(start, cycles.total());
}

void ComputeUnit::work(std::initializer_list<Share> shares, std::int64_t latency,
                       std::initializer_list<Demand> demands) {
  using sc_core::sc_time;
  const sc_time start = sc_core::sc_time_stamp();
  const auto time_of = [this](std::int64_t cycles) {
    return context().cycles(static_cast<double>(cycles));
  };
  sc_time own;
  for (const Share& share : shares) own += time_of(share.cycles);
  struct Access {
    Access(const Demand& demand)
        : stream(demand.sram, demand.accesses), cause(demand.sram.ports_cause()) {}
    Sram::Stream stream;
    Cause cause;
  };
  std::list<Access> accesses;
  for (const Demand& demand : demands) {
    if (demand.accesses != 0) accesses.emplace_back(demand);
  }
  const sc_time after = time_of(latency);
  Cause slowest = Cause::work;
  sc_time end;
  for (;;) {
    end = start + own;
    for (Access& access : accesses) {
      const sc_time served = access.stream.served();
      if (served > end) slowest = access.cause;
      end = std::max(end, served);
    }
    if (end + after <= sc_core::sc_time_stamp()) break;
    wait(end + after - sc_core::sc_time_stamp());
  }
  for (const Share& share : shares) spend(share.cause, time_of(share.cycles));
  spend(slowest, end - start - own);
  spend(Cause::pipeline, after);
}

void ComputeUnit::count_stalled(const sc_core::sc_time& start, std::int64_t undisturbed) {
  add_stalled(sc_core::sc_time_stamp() - start -
              context().cycles(static_cast<double>(undisturbed)));
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
  spend_vector(static_cast<std::int64_t>(elements),
               elements * (element_bytes(format.first) + element_bytes(format.second)), written,
               layer);
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
  const std::uint64_t read = outputs * fields.kernel * fields.kernel;
  spend_vector(static_cast<std::int64_t>(read), read * element_bytes(format.input), written, layer);
}

void ComputeUnit::spend_vector(std::int64_t elements, std::uint64_t read_bytes,
                               std::uint64_t written_bytes, int layer) {
  const std::int64_t reads = activation_sram_.accesses(read_bytes);
  const std::int64_t writes = activation_sram_.accesses(written_bytes);
  activation_sram_.count_reads(layer, reads);
  activation_sram_.count_writes(layer, writes);
  const sc_core::sc_time start = sc_core::sc_time_stamp();
  const std::int64_t cycles = vector_unit_.issue_cycles(elements);
  const int latency = VectorUnit::latency_cycles + activation_sram_.config().latency_cycles;
  work({{Cause::work, cycles}}, latency, {{activation_sram_, reads + writes}});
  count_stalled(start, cycles + latency);
}

}  // namespace abacus::models
