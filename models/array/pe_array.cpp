#include "models/array/pe_array.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "tlm/hardware_fields.hpp"

namespace abacus::models {
namespace {

void require(bool good, const std::string& name, const std::string& field, int found,
             const std::string& allowed) {
  if (!good) {
    throw std::invalid_argument(name + ": " + field + " is " + std::to_string(found) +
                                "; allowed: " + allowed);
  }
}

}  // namespace

PeArray::PeArray(Component component, const hw::PeArrayConfig& config, CpuTarget target,
                 const std::string& engine)
    : component_(component),
      config_(config),
      element_(processing_element(config.kind)),
      dataflow_(abacus::hw::dataflow(config.dataflow)),
      table_(config.table, to_string(component)) {
  const std::string name = to_string(component);
  const std::string sides = "1 to " + std::to_string(hw::most_lanes_a_side);
  require(config.rows >= 1 && config.rows <= hw::most_lanes_a_side, name, "rows", config.rows,
          sides);
  require(config.columns >= 1 && config.columns <= hw::most_lanes_a_side, name, "columns",
          config.columns, sides);
  const int lowest = element_.fewest_bits();
  const int highest = element_.most_bits();
  const std::string widths = lowest == highest
                                 ? std::to_string(lowest) + " with kind " + element_.name()
                                 : std::to_string(lowest) + " to " + std::to_string(highest);
  require(config.weight_bits >= lowest && config.weight_bits <= highest, name, "weight_bits",
          config.weight_bits, widths);
  require(config.activation_bits >= lowest && config.activation_bits <= highest, name,
          "activation_bits", config.activation_bits, widths);
  require(config.accumulator_bits >= 8 && config.accumulator_bits <= 32, name, "accumulator_bits",
          config.accumulator_bits, "8 to 32");
  require(config.weights_per_pe >= 1, name, "weights_per_pe", config.weights_per_pe, "1 or more");
  require(config.accumulators >= 1, name, "accumulators", config.accumulators, "1 or more");
  require(config.read_lanes >= 1, name, "read_lanes", config.read_lanes, "1 or more");
  require(config.fraction_bits >= 0 && config.fraction_bits <= 12, name, "fraction_bits",
          config.fraction_bits, "0 to 12");
  engine_ = make_engine(engine, config.accumulator_bits, target);
}

void PeArray::count(Activity& activity, int layer, const TapFormat& format,
                    const hw::ArrayTile& tile, bool filled) const {
  if (!activity.enabled()) return;
  const int tap_bits = element_.tap_bits(format);
  const hw::ArrayActions actions = dataflow_.actions(config_, tile, filled);
  ZeroGating::Gated gated;
  if (gates(format)) gated = zero_gating_.count(tile, operands_.data(), layout_, geometry_);
  const std::int64_t reads = (loaded_ ? demand_.reads * tile.pixels() : 0) - gated.table_reads;
  element_.count_taps(activity, layer, component_, format, actions.taps - gated.taps - reads);
  const auto count = [&](Action action, std::int64_t times, int bits_a, int bits_b = 0) {
    if (times != 0) activity.count(layer, component_, action, times, bits_a, bits_b);
  };
  count(Action::register_write, gated.taps, 1);
  count(Action::table_read, reads, PostLut::word_bits(format.activation_bits, format.fraction_bits),
        table_.entries(format.activation_bits));
  count(Action::register_write, actions.activation_registers, format.activation_bits);
  count(Action::buffer_read, actions.weight_buffer_reads, format.weight_bits,
        config_.weights_per_pe);
  count(Action::buffer_write, actions.weight_buffer_writes, format.weight_bits,
        config_.weights_per_pe);
  count(Action::register_write, actions.weight_registers, format.weight_bits);
  count(Action::register_write, actions.taps, tap_bits);
  for (const hw::ArrayActions::Sums& sums : actions.sums) {
    for (const hw::SumLevel& level : dataflow_.sum_levels(sums.lanes, tap_bits)) {
      count(Action::add, sums.times * level.additions, level.bits);
      count(Action::register_write, sums.times * level.registers, level.bits);
    }
    element_.count_sums(activity, layer, component_, sums.lanes, sums.times);
    const bool several = config_.accumulators > 1;
    count(Action::add, sums.times, config_.accumulator_bits);
    count(several ? Action::buffer_read : Action::register_read, sums.times,
          config_.accumulator_bits, several ? config_.accumulators : 0);
    count(several ? Action::buffer_write : Action::register_write, sums.times,
          config_.accumulator_bits, several ? config_.accumulators : 0);
  }
}

const OperandLayout& PeArray::set_format(const TapFormat& format) {
  format_ = format;
  layout_ = engine_->layout(format);
  return layout_;
}

PostLutDemand PeArray::table_demand(const std::uint8_t* packed) const {
  std::vector<std::int16_t> weights(static_cast<std::size_t>(tile_.weights()));
  unpack_plain(format_, weight_shape(tile_), packed, weights.data());
  TableReads reads{tile_.columns, tile_.kernel, tile_.channels, {}};
  reads.reads.resize(weights.size());
  // Depthwise, weights stand position by position.
  const auto columns = static_cast<std::size_t>(tile_.columns);
  const std::size_t positions = weights.size() / columns;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t place = tile_.depthwise ? i % columns * positions + i / columns : i;
    reads.reads[place] = element_.reads_table(format_, weights[i]) ? 1 : 0;
  }
  return table_.demand(reads, order_);
}

void PeArray::load_weights(const hw::ArrayTile& tile, const std::uint8_t* packed) {
  tile_ = tile;
  order_ = dataflow_.accumulation_order(config_, tile);
  loaded_format_ = format_;
  loaded_ = true;
  demand_ = {};
  if (format_.kind == hw::TapKind::half_shifted) demand_ = table_demand(packed);
  largest_sum_ =
      std::int64_t{element_.largest_tap(format_)} * tile.kernel * tile.kernel * tile.channels;
  if (gates(format_)) zero_gating_.load(element_, format_, tile, packed);
  engine_->load({format_, tile, order_, packed});
}

bool PeArray::holds(const TapFormat& format, const hw::ArrayTile& tile) const {
  return loaded_ && loaded_format_ == format && tile_.depthwise == tile.depthwise &&
         tile_.kernel == tile.kernel && tile_.channels == tile.channels &&
         tile_.columns == tile.columns;
}

std::uint8_t* PeArray::operands(const TapGeometry& geometry, int rows) {
  return operands_.reserve(static_cast<std::size_t>(geometry.operand_row()) * rows *
                           (layout_.wide ? 2 : 1));
}

void PeArray::take_operands(const TapGeometry& geometry, int rows) {
  geometry_ = geometry;
  engine_->take({operands_.data(), layout_, geometry, rows});
}

const std::int32_t* PeArray::accumulate(int first_row, int rows, std::int64_t& saturations) {
  std::int32_t* accumulators = accumulators_.reserve(static_cast<std::size_t>(rows) *
                                                     geometry_.output_width * accumulator_stride());
  engine_->accumulate(first_row, rows, accumulators, saturations);
  return accumulators;
}

std::int64_t PeArray::largest_accumulator() const {
  return std::min(largest_sum_, std::int64_t{1} << (config_.accumulator_bits - 1));
}

}  // namespace abacus::models
