#pragma once

namespace abacus {

// Bits that a whole number from 0 on needs; 0 needs none.
constexpr int bit_width(int value) {
  int bits = 0;
  for (; value > 0; value >>= 1) ++bits;
  return bits;
}

}  // namespace abacus
