#include "models/array/pe_array.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "models/array/saturating_sum.hpp"

namespace abacus {
namespace {

void require(bool good, const std::string& name, const std::string& field, int found,
             const std::string& allowed) {
  if (!good) {
    throw std::invalid_argument(name + ": " + field + " is " + std::to_string(found) +
                                "; allowed: " + allowed);
  }
}

}  // namespace

PeArray::PeArray(Component component, const PeArrayConfig& config, CpuTarget target)
    : component_(component),
      config_(config),
      target_(target),
      element_(processing_element(config.kind)),
      dataflow_(abacus::dataflow(config.dataflow)),
      table_(config.table, to_string(component)) {
  const std::string name = to_string(component);
  require(config.rows >= 1 && config.rows <= 65535, name, "rows", config.rows, "1 to 65535");
  require(config.columns >= 1 && config.columns <= 65535, name, "columns", config.columns,
          "1 to 65535");
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
  require(config.fraction_bits >= 0 && config.fraction_bits <= 12, name, "fraction_bits",
          config.fraction_bits, "0 to 12");
}

void PeArray::count(Activity& activity, int layer, const TapFormat& format, const ArrayTile& tile,
                    bool filled) const {
  if (!activity.enabled()) return;
  const int tap_bits = element_.tap_bits(format);
  const ArrayActions actions = dataflow_.actions(config_, tile, filled);
  const std::int64_t reads = loaded_ ? demand_.reads * tile.pixels() : 0;
  element_.count_taps(activity, layer, component_, format, actions.taps - reads);
  const auto count = [&](Action action, std::int64_t times, int bits_a, int bits_b = 0) {
    if (times != 0) activity.count(layer, component_, action, times, bits_a, bits_b);
  };
  count(Action::table_read, reads, PostLut::word_bits(format.activation_bits, format.fraction_bits),
        table_.entries(format.activation_bits));
  count(Action::register_write, actions.activation_registers, format.activation_bits);
  count(Action::buffer_read, actions.weight_buffer_reads, format.weight_bits,
        config_.weights_per_pe);
  count(Action::buffer_write, actions.weight_buffer_writes, format.weight_bits,
        config_.weights_per_pe);
  count(Action::register_write, actions.weight_registers, format.weight_bits);
  count(Action::register_write, actions.taps, tap_bits);
  for (const ArrayActions::Sums& sums : actions.sums) {
    for (const SumLevel& level : dataflow_.sum_levels(sums.lanes, tap_bits)) {
      count(Action::add, sums.times * level.additions, level.bits);
      count(Action::register_write, sums.times * level.registers, level.bits);
    }
    element_.count_sums(activity, layer, component_, sums.lanes, sums.times);
    count(Action::add, sums.times, config_.accumulator_bits);
    count(Action::register_read, sums.times, config_.accumulator_bits);
    count(Action::register_write, sums.times, config_.accumulator_bits);
  }
}

const TapPlan& PeArray::set_format(const TapFormat& format) {
  if (!planned_ || !(format_ == format)) {
    format_ = format;
    plan_ = plan_taps(format, target_);
    if (plan_.planes && !(planes_ && planes_format_ == format)) {
      planes_.emplace(format);
      planes_format_ = format;
    }
    planned_ = true;
  }
  return plan_;
}

const TapTable& PeArray::taps() {
  std::optional<TapTable>& taps = taps_[static_cast<std::size_t>(format_.kind)];
  if (!taps || !(taps->format() == format_)) taps.emplace(format_);
  return *taps;
}

PostLutDemand PeArray::table_demand(const std::uint8_t* packed) const {
  std::vector<std::int16_t> weights(static_cast<std::size_t>(tile_.weights()));
  unpack_plain(format_, shape_, packed, weights.data());
  TableReads reads{tile_.columns, tile_.kernel, tile_.channels, {}};
  reads.reads.reserve(weights.size());
  std::int64_t count = 0;
  for (const std::int16_t weight : weights) {
    reads.reads.push_back(element_.reads_table(format_, weight) ? 1 : 0);
    count += reads.reads.back();
  }
  // Depthwise, one lane of a column works at a time: its table's port is free.
  if (tile_.depthwise) return {count, 0};
  return table_.demand(reads, order_);
}

void PeArray::load_weights(const ArrayTile& tile, const std::uint8_t* packed) {
  tile_ = tile;
  shape_ = weight_shape(tile);
  order_ = dataflow_.accumulation_order(config_, tile);
  loaded_format_ = format_;
  loaded_ = true;
  demand_ = {};
  if (format_.kind == TapKind::half_shifted) demand_ = table_demand(packed);
  largest_sum_ = std::int64_t{element_.largest_tap(format_)} * shape_.taps * tile.channels;
  tile.depthwise ? load_depthwise(packed) : load_columns(packed);
}

void PeArray::load_depthwise(const std::uint8_t* packed) {
  const auto taps = static_cast<std::size_t>(shape_.taps);
  const auto columns = static_cast<std::size_t>(shape_.channels);
  plain_weights_.resize(std::max(plain_weights_.size(), taps * columns));
  unpack_plain(format_, shape_, packed, plain_weights_.data());
  depthwise_weights_.resize(taps * columns);
  for (std::size_t tap = 0; tap < taps; ++tap) {
    for (std::size_t column = 0; column < columns; ++column) {
      depthwise_weights_[column * taps + tap] = plain_weights_[tap * columns + column];
    }
  }
}

void PeArray::load_columns(const std::uint8_t* packed) {
  const auto padded_columns = static_cast<std::size_t>(shape_.column_blocks()) * 8;
  std::uint8_t* blocks =
      blocks_.reserve(shape_.block_elements() * plan_.operand_bytes() * planes());
  std::int32_t* corrections = corrections_.reserve(padded_columns);
  if (plan_.planes) {
    bounds_.resize(padded_columns);
    unpack_planes(*planes_, format_.weight_bits, shape_, packed,
                  reinterpret_cast<std::int16_t*>(blocks), bounds_.data());
    std::fill_n(corrections, padded_columns, 0);
  } else {
    unpack_weights(target_, plan_, shape_, packed, blocks, corrections);
  }

  may_saturate_ = largest_sum_ > limit();
  if (!may_saturate_) return;
  packed_.assign(packed, packed + shape_.packed_bytes(format_.weight_bits));
  plain_ = false;
  const auto columns = static_cast<std::size_t>(shape_.columns);
  safe_columns_.assign(columns, 0);
  if (plan_.planes) {
    for (std::size_t i = 0; i < columns; ++i) safe_columns_[i] = bounds_[i] <= limit();
  } else if (format_.kind == TapKind::product) {
    bound_products(blocks);
  } else {
    return;
  }
  may_saturate_ = std::find(safe_columns_.begin(), safe_columns_.end(), 0) != safe_columns_.end();
}

void PeArray::bound_products(const std::uint8_t* blocks) {
  const auto columns = static_cast<std::size_t>(shape_.columns);
  positive_.resize(columns);
  negative_.resize(columns);
  sum_by_sign(target_, plan_.kernel, shape_, blocks, positive_.data(), negative_.data());
  const std::int64_t up = format_.highest_activation();
  const std::int64_t down = -std::int64_t{format_.lowest_activation()};
  for (std::size_t i = 0; i < columns; ++i) {
    const std::int64_t largest =
        std::max(positive_[i] * up + negative_[i] * down, positive_[i] * down + negative_[i] * up);
    safe_columns_[i] = largest <= limit();
  }
}

bool PeArray::holds(const TapFormat& format, const ArrayTile& tile) const {
  return loaded_ && loaded_format_ == format && tile_.depthwise == tile.depthwise &&
         tile_.kernel == tile.kernel && tile_.channels == tile.channels &&
         tile_.columns == tile.columns;
}

void* PeArray::operands(const TapGeometry& geometry, int rows) {
  return operands_.reserve(static_cast<std::size_t>(geometry.operand_row()) * rows *
                           plan_.operand_bytes());
}

void PeArray::prepare_operands(const TapGeometry& geometry, int rows) {
  if (planes() == 1 || tile_.depthwise) return;
  const int channels = geometry.channel_groups * 8;
  const std::size_t positions = static_cast<std::size_t>(geometry.operand_width()) * rows;
  spread_planes(*planes_, positions, channels,
                reinterpret_cast<const std::int16_t*>(operands_.data()),
                spread_.reserve(positions * channels * planes()));
}

const std::int32_t* PeArray::accumulate(const TapGeometry& geometry, int first_row, int rows,
                                        std::int64_t& saturations) {
  std::int32_t* accumulators = accumulators_.reserve(static_cast<std::size_t>(rows) *
                                                     geometry.output_width * accumulator_stride());
  if (tile_.depthwise) {
    accumulate_depthwise(geometry, first_row, rows, saturations);
    return accumulators;
  }
  TapGeometry summed = geometry;
  summed.channel_groups *= planes();
  const std::uint8_t* buffer =
      planes() == 1 ? operands_.data() : reinterpret_cast<const std::uint8_t*>(spread_.data());
  const std::uint8_t* operands = buffer + static_cast<std::size_t>(first_row) * summed.stride *
                                              summed.operand_row() * plan_.operand_bytes();
  abacus::accumulate(target_, plan_.kernel, summed, rows, operands, blocks_.data(),
                     corrections_.data(), accumulators);
  if (may_saturate_) saturate(geometry, first_row, rows, saturations);
  return accumulators;
}

void PeArray::accumulate_depthwise(const TapGeometry& geometry, int first_row, int rows,
                                   std::int64_t& saturations) {
  const SaturatingTile tile{&taps(),    geometry,    1, &order_, config_.accumulator_bits,
                            plan_.zero, plan_.wide()};
  const std::size_t operand_bytes = plan_.operand_bytes();
  const std::size_t position_bytes =
      static_cast<std::size_t>(geometry.channel_groups) * 8 * geometry.stride * operand_bytes;
  const std::size_t row_bytes =
      static_cast<std::size_t>(geometry.operand_row()) * geometry.stride * operand_bytes;
  const auto stride = static_cast<std::size_t>(accumulator_stride());
  const auto columns = static_cast<std::size_t>(shape_.channels);
  std::int32_t* sums = accumulators_.data();
  for (int row = 0; row < rows; ++row) {
    for (int x = 0; x < geometry.output_width; ++x, sums += stride) {
      const std::uint8_t* window = operands_.data() +
                                   static_cast<std::size_t>(first_row + row) * row_bytes +
                                   static_cast<std::size_t>(x) * position_bytes;
      for (std::size_t column = 0; column < columns; ++column) {
        sums[column] = accumulate_saturating(
            tile, window + column * operand_bytes,
            depthwise_weights_.data() + column * static_cast<std::size_t>(shape_.taps),
            saturations);
      }
      std::fill(sums + columns, sums + stride, 0);
    }
  }
}

std::int64_t PeArray::largest_accumulator() const { return std::min(largest_sum_, limit() + 1); }

void PeArray::saturate(const TapGeometry& geometry, int first_row, int rows,
                       std::int64_t& saturations) {
  const SaturatingTile tile{
      &taps(),    geometry,    shape_.channels, &order_, config_.accumulator_bits,
      plan_.zero, plan_.wide()};
  const std::size_t column_weights = static_cast<std::size_t>(shape_.taps) * shape_.channels;
  const std::size_t position_bytes = static_cast<std::size_t>(geometry.channel_groups) * 8 *
                                     geometry.stride * plan_.operand_bytes();
  const std::size_t row_bytes =
      static_cast<std::size_t>(geometry.operand_row()) * geometry.stride * plan_.operand_bytes();
  // The adder's taps are not negative, so its sums only grow: one that ends within the range never
  // left it. It must be exact in 32 bits for that to show.
  const bool end_tells =
      format_.kind == TapKind::absolute_difference && largest_sum_ < (std::int64_t{1} << 31);
  const std::int64_t highest = limit();
  if (end_tells && shape_.columns % 8 == 0) {  // no columns without weights
    std::int32_t largest = 0;
    const std::size_t count =
        static_cast<std::size_t>(rows) * geometry.output_width * accumulator_stride();
    for (std::size_t i = 0; i < count; ++i) {
      largest = std::max(largest, accumulators_.data()[i]);
    }
    if (largest <= highest) return;
  }
  for (int row = 0; row < rows; ++row) {
    for (int x = 0; x < geometry.output_width; ++x) {
      std::int32_t* accumulators =
          accumulators_.data() +
          (static_cast<std::size_t>(row) * geometry.output_width + x) * accumulator_stride();
      const std::uint8_t* window = operands_.data() +
                                   static_cast<std::size_t>(first_row + row) * row_bytes +
                                   static_cast<std::size_t>(x) * position_bytes;
      for (int column = 0; column < shape_.columns; ++column) {
        if (safe_columns_[static_cast<std::size_t>(column)] ||
            (end_tells && accumulators[column] <= highest)) {
          continue;
        }
        if (!plain_) {
          plain_weights_.resize(std::max(plain_weights_.size(), column_weights * shape_.columns));
          unpack_plain(format_, shape_, packed_.data(), plain_weights_.data());
          plain_ = true;
        }
        accumulators[column] = accumulate_saturating(
            tile, window, plain_weights_.data() + static_cast<std::size_t>(column) * column_weights,
            saturations);
      }
    }
  }
}

}  // namespace abacus
