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
    if (!is_any_function(format.kind)) {
      plan_ = plan_taps(format, target_);
      layout_ = plan_.layout();
    } else {
      if (!tap_tile_ || !(tap_tile_->format() == format))
        tap_tile_ = make_tap_tile(format, target_);
      layout_ = tap_tile_->layout();
    }
    planned_ = true;
  }
  return layout_;
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
  std::uint8_t* blocks = nullptr;
  if (tap_tile() != nullptr) {
    tap_tile()->load(shape_, packed);
  } else {
    blocks = blocks_.reserve(shape_.block_elements() * plan_.operand_bytes());
    unpack_weights(target_, plan_, shape_, packed, blocks,
                   corrections_.reserve(static_cast<std::size_t>(shape_.column_blocks()) * 8));
  }

  may_saturate_ = largest_sum_ > limit();
  if (!may_saturate_) return;
  packed_.assign(packed, packed + shape_.packed_bytes(format_.weight_bits));
  plain_ = false;
  const auto columns = static_cast<std::size_t>(shape_.columns);
  safe_columns_.assign(columns, 0);
  if (tap_tile() != nullptr) {
    bounds_.resize(columns);
    tap_tile()->bound(shape_, packed, bounds_.data());
    for (std::size_t i = 0; i < columns; ++i) safe_columns_[i] = bounds_[i] <= limit();
  } else if (format_.kind == hw::TapKind::product) {
    bound_products(blocks);
  } else {
    return;
  }
  may_saturate_ = std::find(safe_columns_.begin(), safe_columns_.end(), 0) != safe_columns_.end();
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
  if (tap_tile() != nullptr && !tile_.depthwise) {
    tap_tile()->take(operands.geometry, operands.rows, operands.data);
  }
}

void VectorEngine::accumulate(int first_row, int rows, std::int32_t* accumulators,
                              std::int64_t& saturations) {
  if (tile_.depthwise) return accumulate_depthwise(first_row, rows, accumulators, saturations);
  if (tap_tile() != nullptr) {
    tap_tile()->accumulate(first_row, rows, accumulators);
  } else {
    abacus::models::accumulate(target_, plan_.kernel, operands_.geometry, rows, window(first_row),
                               blocks_.data(), corrections_.data(), accumulators);
  }
  if (may_saturate_) saturate(first_row, rows, accumulators, saturations);
}

std::size_t VectorEngine::position_bytes() const {
  return static_cast<std::size_t>(operands_.geometry.channel_groups) * 8 *
         operands_.geometry.stride * layout_.element_bytes();
}

const std::uint8_t* VectorEngine::window(int row) const {
  return operands_.data + static_cast<std::size_t>(row) * operands_.geometry.stride *
                              operands_.geometry.operand_row() * layout_.element_bytes();
}

void VectorEngine::accumulate_depthwise(int first_row, int rows, std::int32_t* accumulators,
                                        std::int64_t& saturations) {
  const SaturatingTile tile{&taps(),           operands_.geometry, 1,           &order_,
                            accumulator_bits_, layout_.zero,       layout_.wide};
  const std::size_t operand_bytes = layout_.element_bytes();
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
                            accumulator_bits_, layout_.zero,       layout_.wide};
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
