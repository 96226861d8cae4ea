// The scale unit's arithmetic (docs/arithmetic.md, "Convolution", step 4) on the simulating
// machine, without SystemC: accumulators in, stored bytes out.
#pragma once

#include <cstdint>
#include <vector>

#include "models/simd/cpu_target.hpp"
#include "tlm/command.hpp"

namespace abacus::models {

// round_shift of docs/arithmetic.md: half rounds up.
inline std::int64_t round_shift(std::int64_t value, int shift) {
  return shift == 0 ? value : (value + (std::int64_t{1} << (shift - 1))) >> shift;
}

// Range of a stored element.
inline int lowest(hw::ElementFormat format) {
  return format.is_signed ? -(1 << (format.bits - 1)) : 0;
}
inline int highest(hw::ElementFormat format) {
  return format.is_signed ? (1 << (format.bits - 1)) - 1 : (1 << format.bits) - 1;
}
inline int element_bytes(hw::ElementFormat format) { return format.bits <= 8 ? 1 : 2; }

// Element `index` of a stored tensor: one byte, or two little-endian ones.
int load_element(const std::uint8_t* tensor, std::size_t index, hw::ElementFormat format);
void store_element(std::uint8_t* tensor, std::size_t index, hw::ElementFormat format, int value);

struct ScaleFormat {
  int shift = 0;
  bool relu = false;
  bool has_residual = false;
  int residual_multiplier = 0;
  int residual_shift = 0;
  hw::ElementFormat output{8, 0};
  hw::ElementFormat residual{8, 0};
  int output_channels = 1;  // elements of a pixel, of the residual's too
};

// Format and per-channel values of a tile, laid out for the kernels. Reused from tile to tile.
struct ScalePlan {
  static constexpr int block_columns = 16;

  // Where a block's columns lie in the pixel.
  enum class Placement {
    contiguous,  // 16 columns, neighbouring channels
    window,      // within 64 channels
    scattered
  };
  struct Block {
    alignas(64) std::uint8_t place[64];   // byte of the window → column, where `present`
    alignas(16) std::uint8_t gather[16];  // column → byte of the window
    std::uint64_t present;                // bytes of the window that the block writes
    int first_channel;                    // of the window
    Placement placement;
  };

  ScaleFormat format;
  int columns = 0;
  int lowest = 0;  // of the output, ReLU considered
  int highest = 0;
  bool narrow = false;             // no sum leaves 32 bits
  std::vector<std::int64_t> bias;  // rounding included; block_columns × blocks, zero past the last
  std::vector<std::int32_t> multiplier;
  std::vector<std::int32_t> narrow_bias;
  std::vector<std::uint16_t> channel;
  std::vector<Block> blocks;

  // records: `new_columns` ScaleRecords as they stand in parameter SRAM. largest_accumulator: bound
  // of |accumulator|.
  void prepare(const ScaleFormat& new_format, const std::uint8_t* records, int new_columns,
               std::int64_t largest_accumulator);
};

// Scales `positions` neighbouring pixels. accumulators: [position][accumulator_stride], columns
// first. output, residual: the first position's pixel, channel 0; residual is read only if the
// format has one.
void scale(CpuTarget target, const ScalePlan& plan, int positions, const std::int32_t* accumulators,
           int accumulator_stride, std::uint8_t* output, const std::uint8_t* residual);

}  // namespace abacus::models
