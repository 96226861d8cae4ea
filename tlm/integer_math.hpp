// Whole-number helpers that schedulers, models and dataflows share.
#pragma once

#include <cstdint>

namespace abacus::hw {

// Bits that a whole number from 0 on needs; 0 needs none.
constexpr int bit_width(int value) {
  int bits = 0;
  for (; value > 0; value >>= 1) ++bits;
  return bits;
}

// Levels of a binary tree over n values.
constexpr int ceil_log2(int n) {
  int levels = 0;
  while ((std::int64_t{1} << levels) < n) ++levels;
  return levels;
}

}  // namespace abacus::hw
