// Sums of looked-up bytes, one of the two parts that taps of any function are made of (tap_parts.hpp):
//
//   accumulators += Σ over the window's positions and channels of multiplier · byte(entry, activation)
//
// An activation stands as its bytes, `entries` of them, so that a weight's entry is an index into them;
// those of a pixel's channels lie side by side. Blocks of weights lie in the order that the instruction
// set likes (pass_targets.hpp); channels and columns past the last have multiplier 0.
#pragma once

#include <cstddef>
#include <cstdint>

#include "models/array/kernels.hpp"
#include "models/array/parts/tap_parts.hpp"
#include "models/simd/cpu_target.hpp"

namespace abacus::models {

// Fewest entries of a pass (TapParts) that the kernels take.
int least_entries(CpuTarget target);

// Whether they add up a digit's products of byte operands beside a pass.
bool take_digit(CpuTarget target, const TapParts::Pass& pass);

// Bytes that the blocks of a tile take.
std::size_t pass_block_bytes(CpuTarget target, const TapParts::Pass& pass,
                             const WeightShape& shape);
// Packed fields → blocks, 64-byte aligned. digit: null, or the one to be added up, too.
void unpack_pass(CpuTarget target, const TapParts::Pass& pass, const TapParts::Digit* digit,
                 int weight_bits, const WeightShape& shape, const std::uint8_t* packed,
                 std::uint8_t* blocks);

// `operands` activations (a multiple of 8), of operand_bytes each, to their bytes.
void look_up(CpuTarget target, const TapParts::Pass& pass, std::size_t operands, int operand_bytes,
             const void* activations, std::uint8_t* looked_up);

// What a call adds up: neighbouring output positions of a row, and neighbouring groups of 8 channels of
// their windows.
struct PassPart {
  int positions;
  int first_group;
  int groups;
  // Of the window, from the top: the looked-up bytes of the groups from the first position on, 64-byte
  // aligned.
  const std::uint8_t* const* rows;
  // With a digit: the operands of the window's first row, from the first position and group on. Else null.
  const std::uint8_t* operands;
  int digit_shift;  // of the digit's sums
};

// The accumulators of the positions, laid out as accumulate() has them: what stands there, shifted left
// by kept_shift (not at all where that is negative), and the part's sums.
void accumulate_pass(CpuTarget target, const TapParts::Pass& pass, const TapGeometry& geometry,
                     const PassPart& part, const std::uint8_t* blocks, int kept_shift,
                     std::int32_t* accumulators);

}  // namespace abacus::models
