// The exact arithmetic of a PE array's tile on the simulating machine (docs/arithmetic.md,
// "Convolution", steps 2 and 3), without SystemC.
//
// A tile's taps run over two scratch buffers:
//   operands  [row][position][channel group × 8]  activations after the read quantizer, zero-padded
//   blocks    [ky][kx][channel group][column block][8 columns][8 channels]  unpacked weights
// so that one 64-bit load of 8 input channels meets 8 columns at once, and a column's sum grows in
// a 64-bit lane of its own: no horizontal reductions inside the loop.
//
// An |a − w| tap becomes a byte-wise sum of absolute differences. The activations' range [lo, hi]
// always contains the padding's 0, and for every a in it
//   |a − w| = |a − clamp(w, lo, hi)| + |w − clamp(w, lo, hi)|,
// so weights outside it (all negative ones, where activations are unsigned) are clamped to it and a
// constant per column makes up for that: Theorem 1 of AdderQuant (Nie et al., "Redistribution of
// weights and activations for AdderNet quantization", NeurIPS 2022), applied to integers, where it
// is an identity. What is left fits unsigned bytes, offset by −lo.
#pragma once

#include <cstddef>
#include <cstdint>

#include "models/array/operand_layout.hpp"
#include "models/elements/tap_format.hpp"
#include "models/simd/cpu_target.hpp"
#include "tlm/array_tile.hpp"
#include "tlm/operand_format.hpp"

namespace abacus::models {

enum class TapKernel {
  difference8,   // Σ |a − w|, both unsigned bytes
  difference16,  // Σ |a − w|, both signed 16 bits: shifted activations that do not fit a byte
  product8,      // Σ a·w, unsigned bytes × signed bytes
  product16      // Σ a·w, both signed 16 bits: unsigned 8-bit weights; processors without VNNI
                 // (binary operands are products of −1 and +1)
};

// How a format's operands are written for a kernel.
struct TapPlan : hw::OperandFormat {
  TapKernel kernel = TapKernel::difference8;
  // operand = (a << activation_shift) + zero
  int zero = 0;     // operand of a = 0; that of channels past the last
  int padding = 0;  // operand of a padded position
  // A column's sum is raised by correction_scale · Σ correction[field] + correction_base · fields.
  bool corrected = false;
  int correction_scale = 1;
  int correction_base = 0;
  // By the weight's field; channels past the last count as field 0. Its weight is 0, or meets an
  // activation that is.
  alignas(64) std::uint8_t weight8[256] = {};
  alignas(64) std::uint8_t correction_low[256] = {};
  alignas(64) std::uint8_t correction_high[256] = {};
  std::int16_t weight16[256] = {};

  bool wide() const { return kernel == TapKernel::difference16 || kernel == TapKernel::product16; }
  int operand_bytes() const { return wide() ? 2 : 1; }
  OperandLayout layout() const { return {activation_shift, zero, padding, wide()}; }
};

// Of products and differences; other taps are tap_tile.hpp's.
TapPlan plan_taps(const TapFormat& format, CpuTarget target);

// Shape of a tile's weights: packed as ConvolveFields says.
struct WeightShape {
  int taps;  // kernel²
  int channels;
  int columns;

  int channel_groups() const { return (channels + 7) / 8; }
  int column_blocks() const { return (columns + 7) / 8; }
  std::size_t packed_bytes(int bits) const {
    return static_cast<std::size_t>(taps) * channel_groups() * columns * bits;
  }
  std::size_t block_elements() const {
    return static_cast<std::size_t>(taps) * channel_groups() * column_blocks() * 64;
  }
};

// A column's eight fields of `bits` bits, those of the first channel lowest.
inline std::uint64_t packed_word(const std::uint8_t* source, int bits) {
  std::uint64_t word = 0;
  for (int i = bits - 1; i >= 0; --i) word = word << 8 | source[i];
  return word;
}

// Depthwise, the columns' weights stand as those of one column with as many channels.
inline WeightShape weight_shape(const hw::ArrayTile& tile) {
  const int taps = tile.kernel * tile.kernel;
  return tile.depthwise ? WeightShape{taps, tile.columns, 1}
                        : WeightShape{taps, tile.channels, tile.columns};
}

// Packed fields → blocks (bytes, or 16-bit integers where plan.wide()) and, a value for each of
// column_blocks × 8 columns, what must be added to the column's sums. Both 64-byte aligned. Blocks
// of columns past the last are undefined.
void unpack_weights(CpuTarget target, const TapPlan& plan, const WeightShape& shape,
                    const std::uint8_t* packed, void* blocks, std::int32_t* corrections);

struct TapGeometry {
  int kernel;
  int stride;
  int channel_groups;
  int column_blocks;
  int output_width;

  // Positions a row of the operand buffer has.
  int operand_width() const { return (output_width - 1) * stride + kernel; }
  int operand_row() const { return operand_width() * channel_groups * 8; }  // elements
};

// Sums of `rows` output rows. `operands` points at the first operand row of the first output row.
// accumulators: [row][x][column_blocks × 8], modulo 2^32 (exact where they fit 32 bits).
void accumulate(CpuTarget target, TapKernel kernel, const TapGeometry& geometry, int rows,
                const void* operands, const void* blocks, const std::int32_t* corrections,
                std::int32_t* accumulators);
// For each column of product blocks: the sum of its positive weights, and of its negative ones'
// magnitudes. With the activations' range they bound every partial sum.
void sum_by_sign(CpuTarget target, TapKernel kernel, const WeightShape& shape, const void* blocks,
                 std::int64_t* positive, std::int64_t* negative);

// weights: [column][ky][kx][channel], before the shift.
void unpack_plain(const TapFormat& format, const WeightShape& shape, const std::uint8_t* packed,
                  std::int16_t* weights);

}  // namespace abacus::models
