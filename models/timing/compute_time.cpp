#include "models/timing/compute_time.hpp"

#include <algorithm>
#include <cstddef>

#include "models/read_quantizer/read_quantizer.hpp"
#include "models/scale_unit/kernels.hpp"
#include "models/vector_unit/vector_unit.hpp"
#include "tlm/dataflow.hpp"

namespace abacus::models {
namespace {

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::int64_t accesses(const hw::SramConfig& sram, std::int64_t bytes) {
  return ceil_divide(bytes, sram.port_bytes);
}

std::int64_t bytes_per_cycle(const hw::SramConfig& sram) {
  return std::int64_t{sram.banks} * sram.port_bytes;
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

hw::InsideWindows inside_windows(const hw::ConvolveFields& f) {
  const std::int64_t rows = inside_positions(f.first_output_row, f.output_height, f.kernel,
                                             f.stride, f.padding, f.input_height);
  const std::int64_t columns =
      inside_positions(0, f.output_width, f.kernel, f.stride, f.padding, f.input_width);
  return {rows * columns, rows * std::min(columns, seen_columns(f))};
}

std::int64_t packed_bytes(const hw::ConvolveFields& f) {
  constexpr int channels_a_word = 8;
  const int channels = f.depthwise ? f.columns : f.input_channels;
  return std::int64_t{f.kernel} * f.kernel * ceil_divide(channels, channels_a_word) *
         (f.depthwise ? 1 : f.columns) * f.weight_bits;
}

}  // namespace

hw::ArrayTile array_tile(const hw::ConvolveFields& f) {
  return {f.output_height, f.output_width,   f.kernel, f.depthwise ? 1 : f.input_channels,
          f.columns,       f.depthwise != 0, f.stride};
}

ReadFormat read_format(const hw::ConvolveFields& f, bool adapted) {
  ReadFormat format;
  format.stored = f.input_format;
  format.multiplier = f.read_multiplier;
  format.shift = f.read_shift;
  format.activation_bits = f.activation_bits;
  format.activation_signed = f.activation_signed != 0;
  format.sign = f.taps == hw::TapKind::sign_product;
  format.adapted = adapted;
  return format;
}

ComputeTime compute_time(const hw::ConvolveFields& fields, const hw::HardwareConfig& hardware,
                         std::int64_t table_waits) {
  const hw::PeArrayConfig& array = fields.edge_array ? hardware.edge_array : hardware.array;
  const hw::Dataflow& dataflow = hw::dataflow(array.dataflow);
  const hw::ArrayTile tile = array_tile(fields);
  const std::int64_t weight_bytes = packed_bytes(fields);

  // Weights and parameters first.
  ComputeTime time;
  time.count = 2;
  ComputePhase& fill = time.phases[0];
  const std::int64_t parameters = std::int64_t{fields.columns} * sizeof(hw::ScaleRecord);
  fill.parameter_reads = accesses(hardware.parameter_sram, parameters);
  fill.cycles = ceil_divide(parameters, bytes_per_cycle(hardware.parameter_sram));
  if (!fields.keep_weights && dataflow.weights_stay(array, tile)) {
    fill.weight_reads = accesses(hardware.weight_sram, weight_bytes);
    fill.cycles =
        std::max(fill.cycles, ceil_divide(weight_bytes, bytes_per_cycle(hardware.weight_sram)));
  }
  fill.fill = fill.cycles;
  const bool wired = read_format(fields, fields.step_register != 0).wired();
  fill.latency =
      hardware.activation_sram.latency_cycles + (wired ? 0 : ReadQuantizer::active_latency);

  // Then inputs, results and residual side by side.
  ComputePhase& run = time.phases[1];
  const auto of = [&](const hw::OperandAccess& access, hw::ElementFormat format) {
    return access.times *
           accesses(hardware.activation_sram, access.elements * element_bytes(format));
  };
  for (const hw::OperandAccess& access :
       dataflow.activation_reads(array, tile, inside_windows(fields))) {
    run.activation_reads += of(access, fields.input_format);
    time.operands += access.elements * access.times;
  }
  const hw::OperandAccess outputs = dataflow.output_writes(array, tile);
  if (fields.has_residual) run.activation_reads += of(outputs, fields.residual_format);
  run.activation_writes = of(outputs, fields.output_format);
  run.weight_reads =
      accesses(hardware.weight_sram, dataflow.weight_passes(array, tile) * weight_bytes);
  const std::int64_t issue = dataflow.issue_cycles(array, tile);
  const std::int64_t scale = ceil_divide(tile.outputs(), array.scale_lanes);
  run.table = table_waits * tile.pixels();
  run.cycles = std::max(issue + run.table, scale);
  run.scale = run.cycles - issue - run.table;
  run.latency = dataflow.pipeline_depth(array);
  time.undisturbed = fill.cycles + fill.latency + std::max(issue, scale) + run.latency;
  return time;
}

std::int64_t adapter_cycles(const hw::AdaptFields& fields, const hw::StepAdapterConfig& config) {
  const std::int64_t channels = fields.channels;
  const std::int64_t last = fields.hidden == 0 ? channels : fields.hidden;
  return ceil_divide(adapter_passes_of_mean * channels, config.lanes) +
         ceil_divide(channels * fields.hidden, config.lanes) + ceil_divide(last, config.lanes) +
         adapter_divider_cycles + adapter_pipeline_cycles;
}

ComputeTime compute_time(const hw::AdaptFields& fields, const hw::HardwareConfig& hardware) {
  ComputeTime time;
  ComputePhase& run = time.phases[0];
  run.cycles = adapter_cycles(fields, hardware.step_adapter);
  run.weight_reads = accesses(hardware.weight_sram, static_cast<std::int64_t>(fields.bytes()));
  time.undisturbed = run.cycles;
  return time;
}

ComputeTime compute_time(const hw::VectorFields& fields, bool pools,
                         const hw::HardwareConfig& hardware) {
  const std::int64_t outputs = std::int64_t{fields.height} * fields.width * fields.channels;
  const std::int64_t read = pools ? outputs * fields.kernel * fields.kernel : outputs;
  const std::int64_t bytes =
      element_bytes(fields.input_format) + (pools ? 0 : element_bytes(fields.second_format));
  ComputeTime time;
  ComputePhase& run = time.phases[0];
  run.cycles = ceil_divide(read, hardware.vector_unit.lanes);
  run.latency = VectorUnit::latency_cycles + hardware.activation_sram.latency_cycles;
  run.activation_reads = accesses(hardware.activation_sram, read * bytes);
  run.activation_writes =
      accesses(hardware.activation_sram, outputs * element_bytes(fields.output_format));
  time.undisturbed = run.cycles + run.latency;
  return time;
}

ComputeTime compute_time(const hw::Command& command, const hw::HardwareConfig& hardware) {
  switch (command.opcode) {
    case hw::Opcode::convolve:
      return compute_time(command.convolve, hardware, 0);
    case hw::Opcode::adapt:
      return compute_time(command.adapt, hardware);
    default:
      return compute_time(command.vector, command.opcode == hw::Opcode::pool, hardware);
  }
}

}  // namespace abacus::models
