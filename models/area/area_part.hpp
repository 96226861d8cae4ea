// The parts that blocks are made of, as tables of area and of leakage price them.
#pragma once

#include <array>
#include <string>

namespace abacus::models {

enum class AreaPart {
  adder,
  multiplier,
  shifter,
  bitwise,
  register_bits,
  memory,  // small: lookup tables, a PE's weights, queues
  sram,    // a bank of an on-chip memory
  element  // a lane's unit that a user describes, with its area; in no table's file
};

// Those that files price.
inline constexpr std::array<AreaPart, 7> area_parts = {
    AreaPart::adder,         AreaPart::multiplier, AreaPart::shifter, AreaPart::bitwise,
    AreaPart::register_bits, AreaPart::memory,     AreaPart::sram};
std::string to_string(AreaPart part);  // as in files

// `count` parts of one width.
struct AreaUse {
  AreaPart part;
  double count = 1;
  double bits_a = 0;  // sram: bytes
  double bits_b = 0;  // a multiplier's other operand
};

}  // namespace abacus::models
