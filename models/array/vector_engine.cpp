#include "models/array/vector_engine.hpp"

#include <algorithm>

#include "models/array/saturating_sum.hpp"
#include "models/elements/processing_element.hpp"

namespace abacus::models {

VectorEngine::VectorEngine(int accumulator_bits, CpuTarget target)
    : accumulator_bits_(accumulator_bits), target_(target) {}

OperandLayout VectorEngine::layout(const TapFormat& format) {
  if (!planned_ || !(format_ == format)) {
    format_ = format;
    plan_ = plan_taps(format, target_);
    if (plan_.planes && !(planes_ && planes_format_ == format)) {
      planes_.emplace(format);
      planes_format_ = format;
    }
    if (looks_up()) lookup_.emplace(format);
    planned_ = true;
  }
  return plan_.layout();
}

const TapTable& VectorEngine::taps() {
  std::optional<TapTable>& taps = taps_[static_cast<std::size_t>(format_.kind)];
  if (!taps || !(taps->format() == format_)) taps.emplace(format_);
  return *taps;
}

void VectorEngine::load(const TileWeights& weights) {
  layout(weights.format);
  tile_ = weights.tile;
  shape_ = weight_shape(tile_);
  order_ = weights.order;
  largest_sum_ = std::int64_t{processing_element(format_.kind).largest_tap(format_)} * shape_.taps *
                 tile_.channels;
  tile_.depthwise ? load_depthwise(weights.packed) : load_columns(weights.packed);
}

void VectorEngine::load_depthwise(const std::uint8_t* packed) {
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

void VectorEngine::load_columns(const std::uint8_t* packed) {
  if (looks_up()) return load_lookups(packed);
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
  } else if (format_.kind == hw::TapKind::product) {
    bound_products(blocks);
  } else {
    return;
  }
  may_saturate_ = std::find(safe_columns_.begin(), safe_columns_.end(), 0) != safe_columns_.end();
}

void VectorEngine::load_lookups(const std::uint8_t* packed) {
  const auto taps = static_cast<std::size_t>(shape_.taps);
  const auto channels = static_cast<std::size_t>(shape_.channels);
  const auto columns = static_cast<std::size_t>(shape_.columns);
  plain_weights_.resize(std::max(plain_weights_.size(), taps * channels * columns));
  unpack_plain(format_, shape_, packed, plain_weights_.data());
  plain_ = true;
  lookup_rows_.resize(taps * channels * columns);
  safe_columns_.resize(columns);
  may_saturate_ = false;
  const int mask = (1 << format_.weight_bits) - 1;
  for (std::size_t column = 0; column < columns; ++column) {
    std::int64_t rise = 0;
    std::int64_t fall = 0;
    for (std::size_t tap = 0; tap < taps; ++tap) {
      for (std::size_t channel = 0; channel < channels; ++channel) {
        const int field = plain_weights_[(column * taps + tap) * channels + channel] & mask;
        lookup_rows_[(column * channels + channel) * taps + tap] = static_cast<std::uint8_t>(field);
        rise += lookup_->rise(field);
        fall += lookup_->fall(field);
      }
    }
    safe_columns_[column] = std::max(rise, fall) <= limit();
    may_saturate_ |= safe_columns_[column] == 0;
  }
}

void VectorEngine::bound_products(const std::uint8_t* blocks) {
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

void VectorEngine::take(const TileOperands& operands) {
  operands_ = operands;
  if (looks_up() && !tile_.depthwise) {
    lookup_columns_.take(operands.geometry, tile_.channels, operands.rows, operands.data);
  }
  if (planes() == 1 || tile_.depthwise) return;
  const int channels = operands.geometry.channel_groups * 8;
  const std::size_t positions =
      static_cast<std::size_t>(operands.geometry.operand_width()) * operands.rows;
  spread_planes(*planes_, positions, channels, reinterpret_cast<const std::int16_t*>(operands.data),
                spread_.reserve(positions * channels * planes()));
}

void VectorEngine::accumulate(int first_row, int rows, std::int32_t* accumulators,
                              std::int64_t& saturations) {
  if (tile_.depthwise) return accumulate_depthwise(first_row, rows, accumulators, saturations);
  if (looks_up()) {
    accumulate_lookups(first_row, rows, accumulators);
    if (may_saturate_) saturate(first_row, rows, accumulators, saturations);
    return;
  }
  TapGeometry summed = operands_.geometry;
  summed.channel_groups *= planes();
  const std::uint8_t* buffer =
      planes() == 1 ? operands_.data : reinterpret_cast<const std::uint8_t*>(spread_.data());
  const std::uint8_t* operands = buffer + static_cast<std::size_t>(first_row) * summed.stride *
                                              summed.operand_row() * plan_.operand_bytes();
  abacus::models::accumulate(target_, plan_.kernel, summed, rows, operands, blocks_.data(),
                             corrections_.data(), accumulators);
  if (may_saturate_) saturate(first_row, rows, accumulators, saturations);
}

void VectorEngine::accumulate_lookups(int first_row, int rows, std::int32_t* accumulators) {
  const std::uint8_t* columns = lookup_columns_.gather(first_row, rows);
  const std::size_t positions = lookup_columns_.positions();
  const std::size_t taps = static_cast<std::size_t>(shape_.taps) * shape_.channels;
  const std::size_t found = static_cast<std::size_t>(rows) * operands_.geometry.output_width;
  const auto stride = static_cast<std::size_t>(shape_.column_blocks()) * 8;
  std::int32_t* sums = lookup_sums_.reserve(positions);
  for (std::size_t column = 0; column < static_cast<std::size_t>(shape_.columns); ++column) {
    sum_lookups(target_, *lookup_, columns, positions, lookup_rows_.data() + column * taps, taps,
                sums);
    for (std::size_t p = 0; p < found; ++p) accumulators[p * stride + column] = sums[p];
  }
}

std::size_t VectorEngine::position_bytes() const {
  return static_cast<std::size_t>(operands_.geometry.channel_groups) * 8 *
         operands_.geometry.stride * plan_.operand_bytes();
}

const std::uint8_t* VectorEngine::window(int row) const {
  return operands_.data + static_cast<std::size_t>(row) * operands_.geometry.stride *
                              operands_.geometry.operand_row() * plan_.operand_bytes();
}

void VectorEngine::accumulate_depthwise(int first_row, int rows, std::int32_t* accumulators,
                                        std::int64_t& saturations) {
  const SaturatingTile tile{&taps(),           operands_.geometry, 1,           &order_,
                            accumulator_bits_, plan_.zero,         plan_.wide()};
  const std::size_t operand_bytes = plan_.operand_bytes();
  const auto taps_a_column = static_cast<std::size_t>(shape_.taps);
  const auto columns = static_cast<std::size_t>(shape_.channels);
  const auto stride = static_cast<std::size_t>(shape_.channel_groups()) * 8;
  for (int row = first_row; row < first_row + rows; ++row) {
    const std::uint8_t* window = this->window(row);
    for (int x = 0; x < operands_.geometry.output_width; ++x) {
      for (std::size_t column = 0; column < columns; ++column) {
        accumulators[column] =
            accumulate_saturating(tile, window + column * operand_bytes,
                                  depthwise_weights_.data() + column * taps_a_column, saturations);
      }
      std::fill(accumulators + columns, accumulators + stride, 0);
      accumulators += stride;
      window += position_bytes();
    }
  }
}

void VectorEngine::saturate(int first_row, int rows, std::int32_t* accumulators,
                            std::int64_t& saturations) {
  const SaturatingTile tile{&taps(),           operands_.geometry, shape_.channels, &order_,
                            accumulator_bits_, plan_.zero,         plan_.wide()};
  const std::size_t column_weights = static_cast<std::size_t>(shape_.taps) * shape_.channels;
  const auto stride = static_cast<std::size_t>(shape_.column_blocks()) * 8;
  const int width = operands_.geometry.output_width;
  // The adder's taps are not negative, so its sums only grow: one that ends within the range never
  // left it. It must be exact in 32 bits for that to show.
  const bool end_tells =
      format_.kind == hw::TapKind::absolute_difference && largest_sum_ < (std::int64_t{1} << 31);
  const std::int64_t highest = limit();
  if (end_tells && shape_.columns % 8 == 0) {  // no columns without weights
    std::int32_t largest = 0;
    const std::size_t count = static_cast<std::size_t>(rows) * width * stride;
    for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, accumulators[i]);
    if (largest <= highest) return;
  }
  for (int row = first_row; row < first_row + rows; ++row) {
    const std::uint8_t* window = this->window(row);
    for (int x = 0; x < width; ++x) {
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
      accumulators += stride;
      window += position_bytes();
    }
  }
}

}  // namespace abacus::models
