#include "models/compute/command_check.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>

#include "models/execution/execution_unit.hpp"
#include "models/scale_unit/kernels.hpp"

namespace abacus::models {
namespace {

// Checks of one command; messages start with its name.
class Check {
 public:
  explicit Check(const char* command) : command_(command) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw CommandError(std::string(command_) + ": " + what);
  }
  void between(const char* field, std::int64_t value, std::int64_t low, std::int64_t high,
               const char* why = "") const {
    if (value < low || value > high) outside(field, value, low, high, why);
  }
  void format(const char* field, hw::ElementFormat value) const {
    if (value.bits < 2 || value.bits > 16) {
      fail(std::string(field) + ".bits is " + std::to_string(value.bits) + "; allowed: 2 to 16");
    }
    if (value.is_signed > 1) {
      fail(std::string(field) + ".is_signed is " + std::to_string(value.is_signed) +
           "; allowed: 0 or 1");
    }
  }
  void inside(const char* field, std::uint32_t address, std::uint64_t bytes, const char* memory,
              std::uint32_t size) const {
    if (address > size || bytes > size - address) {
      fail(std::string(field) + ": " + std::to_string(bytes) + " bytes at " +
           std::to_string(address) + " do not fit the " + memory + " of " + std::to_string(size) +
           " bytes");
    }
  }

 private:
  [[noreturn, gnu::cold, gnu::noinline]] void outside(const char* field, std::int64_t value,
                                                      std::int64_t low, std::int64_t high,
                                                      const char* why) const {
    fail(std::string(field) + " is " + std::to_string(value) + "; allowed: " + std::to_string(low) +
         " to " + std::to_string(high) + why);
  }
  const char* command_;
};

// Limits of docs/arithmetic.md.
constexpr int most = 65535;  // of a 16-bit field
constexpr int largest_shift = 46;
constexpr int largest_left_shift = 24;
constexpr int largest_read_shift = 31;
constexpr std::int64_t largest_bias = std::int64_t{1} << 46;
constexpr std::int64_t largest_adapter_bias = std::int64_t{1} << 40;
constexpr int last_tap_kind = static_cast<int>(hw::tap_kinds.size()) - 1;

std::uint64_t bytes_of(int height, int width, int channels, hw::ElementFormat format) {
  return std::uint64_t{1} * static_cast<unsigned>(height) * static_cast<unsigned>(width) *
         static_cast<unsigned>(channels) * static_cast<unsigned>(element_bytes(format));
}

void check_taps(const Check& check, const hw::ConvolveFields& f, const PeArray& array) {
  check.between("edge_array", f.edge_array, 0, 1);
  check.between("taps", static_cast<int>(f.taps), 0, last_tap_kind);
  const ProcessingElement& needed = processing_element(f.taps);
  if (!array.config().kind.computes(f.taps)) {
    check.fail("the tile's taps need " + needed.name() + " elements, but " +
               to_string(array.component()) + " has " + array.element().name() + " elements");
  }
  const int fewest_bits = needed.fewest_bits();
  check.between("weight_bits", f.weight_bits, fewest_bits, array.config().weight_bits);
  check.between("weight_signed", f.weight_signed, 0, 1);
  check.between("activation_bits", f.activation_bits, fewest_bits, array.config().activation_bits);
  check.between("activation_signed", f.activation_signed, 0, 1);
  check.between("columns", f.columns, 1, array.dataflow().most_columns(array.config(), false),
                " (the array's)");
  const TapFormat format = tap_format(f, array.config());
  const bool table = f.taps == hw::TapKind::half_shifted;
  const int widest_fraction =
      !format.exponents() ? 0
      : table ? std::min(array.config().fraction_bits, array.config().table.fraction_bits)
              : array.config().fraction_bits;
  check.between("fraction_bits", f.fraction_bits, 0, widest_fraction);
  if (!format.exponents()) check.between("levels", f.levels, 0, 0);
  if (table) {
    check.between("odd exponents of levels", hw::post_table_exponents(f.levels), 0,
                  array.config().table.exponents, " (the lookup table's)");
  }
  const std::string refusal = array.element().refuse(format);
  if (!refusal.empty()) check.fail(refusal);
}

void check_sums(const Check& check, hw::ChannelSums sums, int first, int channels,
                const hw::StepAdapterConfig& step_adapter) {
  check.between("channel_sums", static_cast<int>(sums), 0, 2);
  if (sums == hw::ChannelSums::none) {
    check.between("first_sum_channel", first, 0, 0, " without channel_sums");
    return;
  }
  check.between("channels whose sums are gathered", first + channels, 1, step_adapter.channels,
                " (the step adapter's)");
}

void check_windows(const Check& check, const hw::ConvolveFields& f) {
  check.between("input_height", f.input_height, 1, most);
  check.between("input_width", f.input_width, 1, most);
  check.between("input_channels", f.input_channels, 1, most);
  check.between("output_height", f.output_height, 1, most);
  check.between("output_width", f.output_width, 1, most);
  check.between("output_channels", f.output_channels, 1, most);
  check.between("kernel", f.kernel, 1, 255);
  check.between("stride", f.stride, 1, 255);
  const int padded_width = f.input_width + 2 * f.padding;
  const int padded_height = f.input_height + 2 * f.padding;
  if (f.kernel > padded_width || f.kernel > padded_height) {
    check.fail("kernel is " + std::to_string(f.kernel) + "; the padded input is " +
               std::to_string(padded_height) + " x " + std::to_string(padded_width));
  }
  const int width = (padded_width - f.kernel) / f.stride + 1;
  check.between("output_width", f.output_width, width, width, " (full rows)");
  const int height = (padded_height - f.kernel) / f.stride + 1;
  check.between("first_output_row + output_height", f.first_output_row + f.output_height, 1, height,
                " (the output's height)");
}

}  // namespace

TapFormat tap_format(const hw::ConvolveFields& f, const hw::PeArrayConfig& array) {
  TapFormat format;
  format.kind = f.taps;
  format.weight_bits = f.weight_bits;
  format.weight_signed = f.weight_signed != 0;
  format.activation_bits = f.activation_bits;
  format.activation_signed = f.activation_signed != 0;
  format.weight_shift = f.weight_shift;
  format.activation_shift = f.activation_shift;
  format.fraction_bits = f.fraction_bits;
  format.levels = f.levels;
  format.first_term_bits = f.first_term_bits;
  std::copy(std::begin(f.exponents), std::end(f.exponents), format.terms.begin());
  if (f.taps == hw::TapKind::tabulated) format.element = array.element.get();
  return format;
}

InputRows input_rows(const hw::ConvolveFields& f) {
  const int first = f.first_output_row * f.stride - f.padding;
  const int end = first + (f.output_height - 1) * f.stride + f.kernel;
  const int inside = std::min(std::max(first, 0), int{f.input_height});
  return {inside, std::max(inside, std::min(end, int{f.input_height}))};
}

void check_convolve(const hw::ConvolveFields& f, const PeArray& array, const SramSizes& sizes,
                    const hw::StepAdapterConfig& step_adapter) {
  const Check check("convolve");
  check_taps(check, f, array);
  check_windows(check, f);
  check.format("input_format", f.input_format);
  check.format("output_format", f.output_format);
  // Signs are read as they stand.
  const bool sign = f.taps == hw::TapKind::sign_product;
  check.between("read_multiplier", f.read_multiplier, 1, sign ? 1 : most);
  check.between("read_shift", f.read_shift, 0, sign ? 0 : largest_read_shift);
  check.between("shift", f.shift, 0, largest_shift);
  check.between("relu", f.relu, 0, 1);
  check.between("has_residual", f.has_residual, 0, 1);
  check.between("keep_weights", f.keep_weights, 0, 1);
  check.between("step_register", f.step_register, 0, step_adapter.registers,
                " (the step adapter's)");
  check_sums(check, f.channel_sums, f.first_sum_channel, f.output_channels, step_adapter);

  const InputRows rows = input_rows(f);
  if (rows.end > rows.first) {
    check.between("first_input_row", f.first_input_row, 0, rows.first,
                  " (the first row of the tile's windows)");
    check.inside(
        "input_address", f.input_address,
        bytes_of(rows.end - f.first_input_row, f.input_width, f.input_channels, f.input_format),
        "activation SRAM", sizes.activation);
  }
  check.inside("output_address", f.output_address,
               bytes_of(f.output_height, f.output_width, f.output_channels, f.output_format),
               "activation SRAM", sizes.activation);
  if (f.has_residual) {
    check.format("residual_format", f.residual_format);
    check.between("residual_shift", f.residual_shift, 0, largest_left_shift);
    check.inside("residual_address", f.residual_address,
                 bytes_of(f.output_height, f.output_width, f.output_channels, f.residual_format),
                 "activation SRAM", sizes.activation);
  }
  check.between("depthwise", f.depthwise, 0, 1);
  if (f.depthwise) {
    check.between("columns", f.columns, 1, array.dataflow().most_columns(array.config(), true),
                  " (the array's, of a depthwise convolution)");
    check.between("first_channel + columns", f.first_channel + f.columns, 1, f.input_channels,
                  " (the input's channels)");
  } else {
    check.between("first_channel", f.first_channel, 0, 0, " without depthwise");
  }
  const WeightShape shape = weight_shape(array_tile(f));
  check.inside("weight_address", f.weight_address, shape.packed_bytes(f.weight_bits), "weight SRAM",
               sizes.weight);
  check.inside("parameter_address", f.parameter_address, f.columns * sizeof(hw::ScaleRecord),
               "parameter SRAM", sizes.parameter);
}

void check_scale_records(const hw::ConvolveFields& f, const std::uint8_t* records) {
  const Check check("convolve");
  for (int column = 0; column < f.columns; ++column) {
    hw::ScaleRecord record;
    std::memcpy(&record, records + column * sizeof record, sizeof record);
    check.between("multiplier of a scale record", record.multiplier, -32768, 32767);
    check.between("bias of a scale record", record.bias, -largest_bias, largest_bias);
    check.between("output_channel of a scale record", record.output_channel, 0,
                  f.output_channels - 1);
  }
}

void check_add(const hw::VectorFields& f, const SramSizes& sizes,
               const hw::StepAdapterConfig& step_adapter) {
  const Check check("add");
  check_sums(check, f.channel_sums, 0, f.channels, step_adapter);
  check.between("height", f.height, 1, most);
  check.between("width", f.width, 1, most);
  check.between("channels", f.channels, 1, most);
  check.format("input_format", f.input_format);
  check.format("second_format", f.second_format);
  check.format("output_format", f.output_format);
  check.between("left_shift", f.left_shift, 0, largest_left_shift);
  check.between("second_left_shift", f.second_left_shift, 0, largest_left_shift);
  check.between("shift", f.shift, 0, largest_shift);
  check.between("relu", f.relu, 0, 1);
  const auto inside = [&](const char* field, std::uint32_t address, hw::ElementFormat format) {
    check.inside(field, address, bytes_of(f.height, f.width, f.channels, format), "activation SRAM",
                 sizes.activation);
  };
  inside("input_address", f.input_address, f.input_format);
  inside("second_address", f.second_address, f.second_format);
  inside("output_address", f.output_address, f.output_format);
}

void check_adapt(const hw::AdaptFields& f, const SramSizes& sizes,
                 const hw::StepAdapterConfig& step_adapter) {
  const Check check("adapt");
  check.between("channels", f.channels, 1, step_adapter.channels, " (the step adapter's)");
  check.between("hidden", f.hidden, 0, step_adapter.hidden, " (the step adapter's)");
  check.between("step_register", f.step_register, 0, step_adapter.registers - 1,
                " (the step adapter's)");
  check.between("read_multiplier", f.read_multiplier, 1, most);
  check.between("pool_shift", f.pool_shift, 0, largest_shift);
  check.between("first_shift", f.first_shift, 0, largest_shift);
  check.between("second_shift", f.second_shift, 0, largest_shift);
  check.between("second_bias", f.second_bias, -largest_adapter_bias, largest_adapter_bias);
  if (f.address % 8 != 0) {
    check.fail("address is " + std::to_string(f.address) + "; allowed: multiples of 8");
  }
  check.inside("address", f.address, f.bytes(), "weight SRAM", sizes.weight);
}

void check_pool(const hw::VectorFields& f, const SramSizes& sizes,
                const hw::StepAdapterConfig& step_adapter) {
  const Check check("pool");
  check_sums(check, f.channel_sums, 0, f.channels, step_adapter);
  check.between("height", f.height, 1, most);
  check.between("width", f.width, 1, most);
  check.between("channels", f.channels, 1, most);
  check.between("kernel", f.kernel, 1, 255);
  check.between("stride", f.stride, 1, 255);
  check.between("maximum", f.maximum, 0, 1);
  check.between("relu", f.relu, 0, 0);
  check.between("shift", f.shift, 0, largest_shift);
  check.between("bias", f.bias, -largest_bias, largest_bias);
  check.format("input_format", f.input_format);
  check.format("output_format", f.output_format);
  check.between("input_width", f.input_width, (f.width - 1) * f.stride + f.kernel, most,
                " (the windows' width)");
  const int rows = (f.height - 1) * f.stride + f.kernel;
  check.inside("input_address", f.input_address,
               bytes_of(rows, f.input_width, f.channels, f.input_format), "activation SRAM",
               sizes.activation);
  check.inside("output_address", f.output_address,
               bytes_of(f.height, f.width, f.channels, f.output_format), "activation SRAM",
               sizes.activation);
}

}  // namespace abacus::models
