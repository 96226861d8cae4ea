// A tile whose taps are any function of two bytes: neither products nor differences, whose kernels are
// kernels.hpp's. Two ways to sum them, of which make_tap_tile() takes the faster one:
//
//   parts    parts/parts_tile.hpp: products, and looked-up bytes of which there are few. Exponent weights;
//            tables of narrow weights
//   lookups  lookups/lookup_tile.hpp: each tap looked up in its weight's row of the table
//
// Which one it is follows from the taps alone, not from their kind.
#pragma once

#include <cstdint>
#include <memory>

#include "models/array/kernels.hpp"
#include "models/array/operand_layout.hpp"
#include "models/elements/tap_format.hpp"
#include "models/simd/cpu_target.hpp"

namespace abacus::models {

class TapTile {
 public:
  explicit TapTile(const TapFormat& format) : format_(format) {}
  virtual ~TapTile() = default;
  TapTile(const TapTile&) = delete;
  TapTile& operator=(const TapTile&) = delete;

  const TapFormat& format() const { return format_; }
  // How it wants its activations.
  virtual OperandLayout layout() const = 0;
  // Weights, packed as ConvolveFields says.
  virtual void load(const WeightShape& shape, const std::uint8_t* packed) = 0;
  // The largest |sum| that each column's weights can make on the way to its end.
  virtual void bound(const WeightShape& shape, const std::uint8_t* packed,
                     std::int64_t* bounds) const = 0;
  // Operands of the loaded weights' tile, all of its `rows`; must stay until the next call.
  virtual void take(const TapGeometry& geometry, int rows, const std::uint8_t* operands) = 0;
  // As Engine's.
  virtual void accumulate(int first_row, int rows, std::int32_t* accumulators) = 0;

 private:
  TapFormat format_;
};

// Visits (column, tap, channel, field) of each weight.
template <typename Visit>
void for_each_field(const WeightShape& shape, int bits, const std::uint8_t* packed,
                    const Visit& visit) {
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  for (int row = 0; row < shape.taps * shape.channel_groups(); ++row) {
    const int tap = row / shape.channel_groups();
    const int first = row % shape.channel_groups() * 8;
    const int channels = shape.channels - first < 8 ? shape.channels - first : 8;
    for (int column = 0; column < shape.columns; ++column) {
      const std::uint64_t word = packed_word(packed, bits);
      packed += bits;
      for (int i = 0; i < channels; ++i) {
        visit(column, tap, first + i, static_cast<std::size_t>(word >> i * bits & mask));
      }
    }
  }
}

// Of any kind but products and differences.
std::unique_ptr<TapTile> make_tap_tile(const TapFormat& format, CpuTarget target);
// Whether it is make_tap_tile()'s work.
bool is_any_function(hw::TapKind kind);

}  // namespace abacus::models
