// How activations stand in an array's operand buffer: [row][position][channel group × 8], bytes or 16-bit
// integers, zero-padded.
#pragma once

#include <cstddef>

namespace abacus::models {

struct OperandLayout {
  int activation_shift = 0;  // operand = (a << activation_shift) + zero
  int zero = 0;              // operand of a = 0; that of channels past the last
  int padding = 0;           // operand of a padded position
  bool wide = false;         // 16 bits

  std::size_t element_bytes() const { return wide ? 2 : 1; }
};

}  // namespace abacus::models
