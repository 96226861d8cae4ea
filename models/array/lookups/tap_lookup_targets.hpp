// The versions of tap_lookup.hpp's kernel; only tap_lookup.cpp chooses among them.
#pragma once

#include "models/array/lookups/tap_lookup.hpp"

namespace abacus::models::kernels {

// 16-bit sums hold so many bytes.
inline constexpr std::size_t most_byte_sums = 257;

// What sums of bytes, which count from the lowest tap, lack.
inline std::int32_t base_sum(const TapLookup& lookup, std::size_t taps) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(lookup.lowest()) *
                                   static_cast<std::uint32_t>(taps));
}

void sum_lookups_portable(const TapLookup& lookup, const std::uint8_t* columns,
                          std::size_t positions, const std::uint8_t* rows, std::size_t taps,
                          std::int32_t* sums);
// x86-64 alone.
void sum_lookups_avx2(const TapLookup& lookup, const std::uint8_t* columns, std::size_t positions,
                      const std::uint8_t* rows, std::size_t taps, std::int32_t* sums);
void sum_lookups_avx512(const TapLookup& lookup, const std::uint8_t* columns, std::size_t positions,
                        const std::uint8_t* rows, std::size_t taps, std::int32_t* sums);

}  // namespace abacus::models::kernels
