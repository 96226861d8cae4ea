#include "models/array/stepwise_engine.hpp"

#include <algorithm>
#include <cstddef>

namespace abacus::models {
namespace {

// The field of an element of a group of 8, lowest bits first.
int field_of(const std::uint8_t* group, int element, int bits) {
  int field = 0;
  for (int bit = 0; bit < bits; ++bit) {
    const int at = element * bits + bit;
    field += (group[at / 8] >> at % 8 & 1) * (1 << bit);
  }
  return field;
}

}  // namespace

StepwiseEngine::StepwiseEngine(int accumulator_bits)
    : highest_((std::int64_t{1} << (accumulator_bits - 1)) - 1) {}

OperandLayout StepwiseEngine::layout(const TapFormat& format) {
  return {0, 0, format.padding(), true};
}

void StepwiseEngine::load(const TileWeights& weights) {
  weights_ = weights;
  element_ = &processing_element(weights.format.kind);
  const hw::ArrayTile& tile = weights.tile;
  const int bits = weights.format.weight_bits;
  plain_weights_.clear();
  for (int position = 0; position < tile.kernel * tile.kernel; ++position) {
    for (int channel = 0; channel < tile.channels; ++channel) {
      for (int column = 0; column < tile.columns; ++column) {
        // Depthwise, the columns stand where one column's channels would.
        const int inner = tile.depthwise ? column : channel;
        const int groups = ((tile.depthwise ? tile.columns : tile.channels) + 7) / 8;
        const int columns = tile.depthwise ? 1 : tile.columns;
        const int group = (position * groups + inner / 8) * columns + (tile.depthwise ? 0 : column);
        const int field =
            field_of(weights.packed + static_cast<std::size_t>(group) * bits, inner % 8, bits);
        plain_weights_.push_back(weights.format.decode_weight(field));
      }
    }
  }
}

void StepwiseEngine::take(const TileOperands& operands) { operands_ = operands; }

int StepwiseEngine::activation(int row, int position, int channel) const {
  const TapGeometry& geometry = operands_.geometry;
  const std::size_t index = (static_cast<std::size_t>(row) * geometry.operand_width() + position) *
                                geometry.channel_groups * 8 +
                            channel;
  const OperandLayout& layout = operands_.layout;
  const int operand = layout.wide ? reinterpret_cast<const std::int16_t*>(operands_.data)[index]
                                  : operands_.data[index];
  return (operand - layout.zero) / (1 << layout.activation_shift);
}

int StepwiseEngine::weight(int column, int ky, int kx, int channel) const {
  const hw::ArrayTile& tile = weights_.tile;
  const int position = ky * tile.kernel + kx;
  return plain_weights_[static_cast<std::size_t>(position * tile.channels + channel) *
                            tile.columns +
                        column];
}

std::int32_t StepwiseEngine::accumulator(int row, int x, int column,
                                         std::int64_t& saturations) const {
  const int stride = operands_.geometry.stride;
  std::int64_t accumulator = 0;
  for (const hw::AccumulationStep& step : weights_.order) {
    std::int64_t sum = 0;
    for (int tap = step.first_tap; tap < step.first_tap + step.taps; ++tap) {
      const int channel = tap % weights_.tile.channels;
      const int position = tap / weights_.tile.channels;
      const int ky = position / weights_.tile.kernel;
      const int kx = position % weights_.tile.kernel;
      const int seen = weights_.tile.depthwise ? column : channel;
      sum += element_->tap(weights_.format, activation(row * stride + ky, x * stride + kx, seen),
                           weight(column, ky, kx, channel));
    }
    const std::int64_t exact = accumulator + sum;
    accumulator = std::clamp(exact, -highest_ - 1, highest_);
    if (accumulator != exact) ++saturations;
  }
  return static_cast<std::int32_t>(accumulator);
}

void StepwiseEngine::accumulate(int first_row, int rows, std::int32_t* accumulators,
                                std::int64_t& saturations) {
  const int columns = weights_.tile.columns;
  for (int row = first_row; row < first_row + rows; ++row) {
    for (int x = 0; x < operands_.geometry.output_width; ++x) {
      for (int column = 0; column < columns; ++column) {
        accumulators[column] = accumulator(row, x, column, saturations);
      }
      accumulators += (columns + 7) / 8 * 8;
    }
  }
}

}  // namespace abacus::models
