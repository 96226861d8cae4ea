#include "models/post_lut/post_lut_entry.hpp"

#include <cstdint>

namespace abacus::models {

int post_lut_entry(int magnitude, int index, int fraction_bits) {
  // entry² is magnitude² · 2^(2·fraction_bits − n), so that no root is needed: the nearest integer t
  // is the largest one with (2t − 1)² · 2^n ≤ magnitude² · 2^(2·fraction_bits + 2).
  const int n = 2 * index + 1;
  const std::int64_t square = (std::int64_t{magnitude} * magnitude) << (2 * fraction_bits + 2);
  if (n > 62 || square >> n == 0) return 0;  // below a half
  std::int64_t below = 0;
  std::int64_t above = (std::int64_t{magnitude} << fraction_bits) + 1;
  while (above - below > 1) {
    const std::int64_t t = (below + above) / 2;
    const std::int64_t odd = 2 * t - 1;
    (odd * odd <= square >> n ? below : above) = t;
  }
  return static_cast<int>(below);
}

}  // namespace abacus::models
