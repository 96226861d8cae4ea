// The kernels of pass_kernels.hpp for one instruction set each; only pass_kernels.cpp chooses among
// them. Those with an instruction set's name exist on x86-64 alone.
#pragma once

#include <cstddef>
#include <cstdint>

namespace abacus::models::kernels {

// A PassPart for a kernel.
struct PassStrip {
  int entries;
  int largest_sum;  // of two products in a 16-bit sum
  int kept_shift;   // of what stands in the accumulators; negative: they are overwritten
  int digit_shift;
  int kernel;
  int positions;
  int groups;            // of 8 channels
  int column_blocks;     // of 8 columns
  std::size_t position;  // looked-up bytes from an output position's window to the next one's
  std::size_t pixel;     // and from an operand position to the next
  std::size_t tap;       // block bytes from a (ky, kx) to the next
  // Where a digit is added up: the operands of the window's first row, and from one to the next.
  const std::uint8_t* operands;
  std::size_t operand_position;
  std::size_t operand_pixel;
  std::size_t operand_row;
};
// rows: the strip's first position in each row of the window.
using AccumulatePass = void(const PassStrip& strip, const std::uint8_t* const* rows,
                            const std::uint8_t* blocks, std::int32_t* accumulators);

// A step takes two vectors of looked-up bytes: 4 channels of 16 entries, or 2 of 32.
// blocks: [ky][kx][step][16 columns] of 128 bytes: for the lanes of the first vector, then of the
// second, an index for each of 16 columns (the top bit where the lane has not the entry); multipliers
// of the two vectors' bytes by turns, columns 0 to 7 for both lanes, then columns 8 to 15.
AccumulatePass accumulate_pass_avx2;

// A step takes 8 channels of 8 entries and 8 columns, or 4 channels of 16 or 32 and 16 columns.
// blocks: [ky][kx][step][columns] of 128 bytes: an index into the channels' bytes for each column and
// channel, channels innermost, then multipliers likewise. With 16 or 32 entries 64 more: the digits.
AccumulatePass accumulate_pass_avx512;

// `operands` activations, a multiple of 8, → their bytes.
template <int entries>
void look_up_avx512(const std::uint8_t* bytes, std::size_t operands,
                    const std::uint8_t* activations, std::uint8_t* looked_up);

}  // namespace abacus::models::kernels
