// The parts that an array is made of, as area tables price them.
#pragma once

namespace abacus::models {

enum class AreaPart {
  adder,
  multiplier,
  shifter,
  bitwise,
  register_bits,
  memory,
  element  // a lane's unit that a user describes, with its area; in no table's file
};

// `count` parts of one width.
struct AreaUse {
  AreaPart part;
  double count = 1;
  double bits_a = 0;
  double bits_b = 0;  // a multiplier's other operand
};

}  // namespace abacus::models
