#include "models/array/shadow_engine.hpp"

#include <string>
#include <utility>

namespace abacus::models {

ShadowEngine::ShadowEngine(std::unique_ptr<Engine> engine, std::unique_ptr<Engine> shadow)
    : engine_(std::move(engine)), shadow_(std::move(shadow)) {}

OperandLayout ShadowEngine::layout(const TapFormat& format) {
  shadow_->layout(format);
  return engine_->layout(format);
}

void ShadowEngine::load(const TileWeights& weights) {
  tile_ = weights.tile;
  engine_->load(weights);
  shadow_->load(weights);
}

void ShadowEngine::take(const TileOperands& operands) {
  engine_->take(operands);
  shadow_->take(operands);
}

void ShadowEngine::accumulate(int first_row, int rows, std::int32_t* accumulators,
                              std::int64_t& saturations) {
  const int stride = (tile_.columns + 7) / 8 * 8;
  const int width = tile_.output_width;
  shadow_accumulators_.resize(static_cast<std::size_t>(rows) * width * stride);
  std::int64_t found = 0;
  std::int64_t expected = 0;
  engine_->accumulate(first_row, rows, accumulators, found);
  shadow_->accumulate(first_row, rows, shadow_accumulators_.data(), expected);
  for (std::size_t i = 0; i < shadow_accumulators_.size(); ++i) {
    const int column = static_cast<int>(i) % stride;
    if (column >= tile_.columns || accumulators[i] == shadow_accumulators_[i]) continue;
    const int pixel = static_cast<int>(i) / stride;
    throw EngineDifference("accumulator at row " + std::to_string(first_row + pixel / width) +
                           ", column " + std::to_string(pixel % width) + ", channel " +
                           std::to_string(column) + " of the tile is " +
                           std::to_string(accumulators[i]) + "; the shadow engine has " +
                           std::to_string(shadow_accumulators_[i]));
  }
  if (found != expected) {
    throw EngineDifference("rows " + std::to_string(first_row) + " to " +
                           std::to_string(first_row + rows - 1) + " of the tile saturated " +
                           std::to_string(found) + " times; the shadow engine counts " +
                           std::to_string(expected));
  }
  saturations += found;
}

}  // namespace abacus::models
