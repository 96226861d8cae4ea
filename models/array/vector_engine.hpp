// The engine of the exact kernels (kernels.hpp): whole tiles by vector instructions, and again step by
// step only the sums that may have left the accumulator's range. An adder's sum that ends within the
// range never left it, since its taps are not negative; a column of products, of parts or of looked-up
// taps is bounded with its actual weights.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "models/array/engine.hpp"
#include "models/array/kernels.hpp"
#include "models/array/tap_table.hpp"
#include "models/array/tap_tile.hpp"
#include "models/simd/aligned_buffer.hpp"
#include "models/simd/cpu_target.hpp"

namespace abacus::models {

class VectorEngine : public Engine {
 public:
  VectorEngine(int accumulator_bits, CpuTarget target);

  OperandLayout layout(const TapFormat& format) override;
  void load(const TileWeights& weights) override;
  void take(const TileOperands& operands) override;
  void accumulate(int first_row, int rows, std::int32_t* accumulators,
                  std::int64_t& saturations) override;

 private:
  void load_depthwise(const std::uint8_t* packed);
  void load_columns(const std::uint8_t* packed);
  void bound_products(const std::uint8_t* blocks);
  void accumulate_depthwise(int first_row, int rows, std::int32_t* accumulators,
                            std::int64_t& saturations);
  // Forms again, step by step, the sums that may have left the accumulator's range.
  void saturate(int first_row, int rows, std::int32_t* accumulators, std::int64_t& saturations);
  // Whose kernels sum the tile; null where those of kernels.hpp do.
  TapTile* tap_tile() const { return is_any_function(format_.kind) ? tap_tile_.get() : nullptr; }
  // Of the format.
  const TapTable& taps();
  std::int64_t limit() const { return (std::int64_t{1} << (accumulator_bits_ - 1)) - 1; }
  // The operands of the window of the first output of a row.
  const std::uint8_t* window(int row) const;
  std::size_t position_bytes() const;  // from one output's window to the next one's

  int accumulator_bits_;
  CpuTarget target_;

  TapFormat format_;
  TapPlan plan_;
  OperandLayout layout_;
  bool planned_ = false;
  // Of the last format of the kind: ShiftAddNet's layers take turns.
  std::unique_ptr<TapTile> tap_tile_;
  std::array<std::optional<TapTable>, hw::tap_kinds.size()> taps_;

  hw::ArrayTile tile_{};
  WeightShape shape_{0, 0, 0};
  std::vector<hw::AccumulationStep> order_;
  std::vector<std::int16_t> depthwise_weights_;  // [column][ky][kx]
  std::int64_t largest_sum_ = 0;                 // of |sum|, whatever the weights
  AlignedBuffer<std::uint8_t> blocks_;
  AlignedBuffer<std::int32_t> corrections_;
  // Only where sums may saturate: the weights as they came, decoded when a sum has to be formed
  // again, and the bounds that the columns' weights set.
  std::vector<std::uint8_t> packed_;
  std::vector<std::int16_t> plain_weights_;
  bool plain_ = false;
  std::vector<std::int64_t> positive_;
  std::vector<std::int64_t> negative_;
  std::vector<std::int64_t> bounds_;  // of a tap tile
  std::vector<std::uint8_t> safe_columns_;
  bool may_saturate_ = false;

  TileOperands operands_{};
};

}  // namespace abacus::models
