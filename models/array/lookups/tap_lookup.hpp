// Taps of any table, looked up.
//
// A tile's activations stand as columns of the table, [tap][output position], and each output channel's
// weights as its rows. A row has 256 entries at most, which a vector permutation looks up for 64 positions
// at once, a byte of the tap at a time; taps count from the lowest one, so that their bytes have no sign.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/array/kernels.hpp"
#include "models/elements/tap_format.hpp"
#include "models/simd/aligned_buffer.hpp"
#include "models/simd/cpu_target.hpp"

namespace abacus::models {

class TapLookup {
 public:
  // Of tabulated taps.
  explicit TapLookup(const TapFormat& format);

  static constexpr std::size_t row_entries = 256;
  // Positions come in whole vectors.
  static constexpr std::size_t position_step = 64;

  int columns() const { return columns_; }
  int bytes() const { return bytes_; }             // that a tap above the lowest one takes, 1 to 3
  std::int32_t lowest() const { return lowest_; }  // tap
  // By the weight's field: the row's taps, and a byte of them above the lowest; 64-byte aligned.
  const std::int32_t* taps(int field) const { return taps_.data() + row_entries * field; }
  const std::uint8_t* part(int byte, int field) const {
    return parts_.data() + row_entries * (static_cast<std::size_t>(byte) * 256 + field);
  }
  // Of the taps of a weight's field, and 0: what they can raise a sum by, and lower it by.
  std::int32_t rise(int field) const { return rises_[static_cast<std::size_t>(field)]; }
  std::int32_t fall(int field) const { return falls_[static_cast<std::size_t>(field)]; }

 private:
  int columns_ = 0;
  int bytes_ = 1;
  std::int32_t lowest_ = 0;
  std::vector<std::int32_t> taps_;
  AlignedBuffer<std::uint8_t> parts_;
  std::vector<std::int32_t> rises_;
  std::vector<std::int32_t> falls_;
};

// Operands [row][position][channel] as the array has them → the columns of the taps of `rows` output rows:
// [channel][ky][kx][row × output width], each tap's positions rounded up to whole vectors.
class LookupColumns {
 public:
  // `operands`: bytes, all rows of a tile.
  void take(const TapGeometry& geometry, int channels, int rows, const std::uint8_t* operands);
  const std::uint8_t* gather(int first_row, int rows);
  // Of the last gather().
  std::size_t positions() const { return positions_; }

 private:
  TapGeometry geometry_{};
  int channels_ = 0;
  int rows_ = 0;
  std::size_t positions_ = 0;
  AlignedBuffer<std::uint8_t> planes_;  // [channel][row][position]
  AlignedBuffer<std::uint8_t> columns_;
};

// sums[position] = Σ over taps of the table's entry in the tap's row and the position's column, modulo
// 2^32. `columns`: [tap][positions], 64-byte aligned, `positions` a multiple of position_step; `rows`: a field
// for each tap.
void sum_lookups(CpuTarget target, const TapLookup& lookup, const std::uint8_t* columns,
                 std::size_t positions, const std::uint8_t* rows, std::size_t taps,
                 std::int32_t* sums);

}  // namespace abacus::models
