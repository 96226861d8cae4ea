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

#include <array>
#include <cstddef>
#include <cstdint>

#include "models/simd/cpu_target.hpp"
#include "tlm/command.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus {

class ExponentTaps;

// Operands of a tap as the command states them.
struct TapFormat {
  ProcessingElementKind kind = ProcessingElementKind::adder;
  int weight_bits = 8;
  bool weight_signed = true;
  int activation_bits = 8;
  bool activation_signed = false;
  int weight_shift = 0;      // adder only
  int activation_shift = 0;  // adder only
  int fraction_bits = 0;     // exponent weights only
  int levels = 0;            // exponent weights only: a weight is a code −levels … levels
  int first_term_bits = 1;   // apot only, as the exponents: see ConvolveFields
  std::array<std::int8_t, 2 * term_exponents> terms{};

  // Ranges before the shift.
  int lowest_activation() const { return activation_signed ? -(1 << (activation_bits - 1)) : 0; }
  int highest_activation() const {
    if (binary()) return 1;
    return activation_signed ? (1 << (activation_bits - 1)) - 1 : (1 << activation_bits) - 1;
  }
  int lowest_weight() const { return weight_signed ? -(1 << (weight_bits - 1)) : 0; }
  int highest_weight() const {
    if (binary()) return 1;
    return weight_signed ? (1 << (weight_bits - 1)) - 1 : (1 << weight_bits) - 1;
  }
  // Value of a weight's field of weight_bits bits, before the shift.
  int decode_weight(int field) const {
    if (binary()) return field == 0 ? -1 : 1;
    return weight_signed && field > highest_weight() ? field - (1 << weight_bits) : field;
  }
  bool operator==(const TapFormat& other) const {
    return kind == other.kind && weight_bits == other.weight_bits &&
           weight_signed == other.weight_signed && activation_bits == other.activation_bits &&
           activation_signed == other.activation_signed && weight_shift == other.weight_shift &&
           activation_shift == other.activation_shift && fraction_bits == other.fraction_bits &&
           levels == other.levels && first_term_bits == other.first_term_bits &&
           terms == other.terms;
  }
  // The tap t of docs/arithmetic.md.
  int tap(int activation, int weight) const;
  // Exponent weights: what a weight of magnitude m makes of an activation's magnitude, in units of
  // 2^−fraction_bits; 0 for magnitudes past the levels.
  int level(int m, int magnitude) const;
  // Largest |t| over both ranges.
  int largest_tap() const;
  // Weights are codes of exponents.
  bool exponents() const {
    return kind == ProcessingElementKind::shift || kind == ProcessingElementKind::post ||
           kind == ProcessingElementKind::apot;
  }
  // post: the code's exponent is an odd number of halves, which takes the lookup table.
  bool reads_table(int code) const {
    const int m = code < 0 ? -code : code;
    return kind == ProcessingElementKind::post && m != 0 && m % 2 == 0 && m <= levels;
  }
  // apot: the exponents of the terms of magnitude m; no_term where there is none.
  std::array<int, 2> terms_of(int m) const;
  // Operands −1 and +1: of one bit and signed.
  bool binary() const { return kind == ProcessingElementKind::xnor; }
  // The activation that a padded position has.
  int padding() const { return binary() ? -1 : 0; }
};

enum class TapKernel {
  difference8,   // Σ |a − w|, both unsigned bytes
  difference16,  // Σ |a − w|, both signed 16 bits: shifted activations that do not fit a byte
  product8,      // Σ a·w, unsigned bytes × signed bytes
  product16      // Σ a·w, both signed 16 bits: unsigned 8-bit weights; processors without VNNI
                 // (binary operands are products of −1 and +1), exponent weights
};

// How a format's operands are written for a kernel.
struct TapPlan {
  TapKernel kernel = TapKernel::difference8;
  int weight_bits = 8;
  int activation_shift = 0;  // operand = (a << activation_shift) + zero
  int zero = 0;              // operand of a = 0; that of channels past the last
  int padding = 0;           // operand of a padded position
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
};

// Of exponent weights it is the activations that the plan describes; exponent_taps.hpp has the rest.
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

// The same sums as an accumulator of limited width forms them: input channels in tiles of
// `array_rows`, then ky, then kx, each tile's taps added with saturation. Slow.
struct SaturatingTile {
  TapFormat format;
  const ExponentTaps* exponents;  // null where the format has none
  TapGeometry geometry;
  int channels;
  int array_rows;
  int accumulator_bits;
  int zero;   // of the plan
  bool wide;  // of the plan
};
// One output position, one column; `operands` as for accumulate(), at the position's window;
// column_weights: [ky][kx][channel], as unpack_plain() gives them. Adds the number of additions
// that saturated to `saturations`.
std::int32_t accumulate_saturating(const SaturatingTile& tile, const void* operands,
                                   const std::int16_t* column_weights, std::int64_t& saturations);
// weights: [column][ky][kx][channel], before the shift.
void unpack_plain(const TapFormat& format, const WeightShape& shape, const std::uint8_t* packed,
                  std::int16_t* weights);

}  // namespace abacus
