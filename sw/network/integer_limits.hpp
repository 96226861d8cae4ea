// Limits of an integer network's fields (docs/arithmetic.md, "Limits"), for what makes packages, checks
// them and executes them.
#pragma once

#include <cstdint>

namespace abacus::network {

// Right shift of a layer, a pool's and an adapter's.
inline constexpr int largest_shift = 46;
inline constexpr std::int64_t largest_bias = std::int64_t{1} << 46;
inline constexpr int largest_left_shift = 24;
inline constexpr int largest_read_multiplier = 65535;
inline constexpr int largest_read_shift = 31;
// Of a residual, of additions and of pools.
inline constexpr int largest_vector_multiplier = 65535;
inline constexpr int smallest_scale_multiplier = -32768;
inline constexpr int largest_scale_multiplier = 32767;

// Of exponent weights' taps; of POST's, which a lookup table holds.
inline constexpr int largest_fraction_bits = 12;
inline constexpr int smallest_table_fraction_bits = 2;
inline constexpr int largest_table_fraction_bits = 8;
// Of POST's taps where nobody asks for another number: as many as the longest shift drops, for 0 and
// ±2^(−n/2) with n below `magnitudes`, but 3 at least. Roots of two are rounded whatever the number;
// at 4-bit weights 3 bits were as accurate as 8 (docs/results.md, "POST").
constexpr int usual_table_fraction_bits(int magnitudes) {
  constexpr int least = 3;
  const int longest_shift = (magnitudes - 1) / 2;
  if (longest_shift < least) return least;
  return longest_shift < largest_table_fraction_bits ? longest_shift : largest_table_fraction_bits;
}

// Step adapters: β has so many fraction bits, 1.0 being 4096, and lies between 1/16 and 8.
inline constexpr int step_factor_bits = 12;
inline constexpr int smallest_step_factor = 1 << (step_factor_bits - 4);
inline constexpr int largest_step_factor = 1 << (step_factor_bits + 3);
inline constexpr std::int64_t largest_adapter_bias = std::int64_t{1} << 40;
// Means of channels, and hidden values.
inline constexpr int smallest_adapter_value = -32768;
inline constexpr int largest_adapter_value = 32767;

}  // namespace abacus::network
