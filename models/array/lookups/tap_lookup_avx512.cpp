// AVX-512: 64 positions at once. A byte of the taps takes one or two permutations and four additions and
// masks a tap.
#include "models/array/lookups/tap_lookup_targets.hpp"

#if defined(__x86_64__)
#include "models/simd/target_attributes.hpp"

ABACUS_BEGIN_AVX512

namespace abacus::models::kernels {
namespace {

// Looks 64 columns up in a row of 64, 128 or 256 bytes.
template <int parts>
inline __m512i look_up(const std::uint8_t* row, __m512i columns) {
  const __m512i first = _mm512_load_si512(row);
  if constexpr (parts == 1) return _mm512_permutexvar_epi8(columns, first);
  const __m512i low = _mm512_permutex2var_epi8(first, columns, _mm512_load_si512(row + 64));
  if constexpr (parts == 2) return low;
  const __m512i high =
      _mm512_permutex2var_epi8(_mm512_load_si512(row + 128), columns, _mm512_load_si512(row + 192));
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(columns), low, high);
}

// Adds 16-bit sums of even or odd positions, of bytes worth 2^shift, to the positions' sums.
inline void add_to(std::int32_t* sums, __m512i words, int odd, int shift) {
  alignas(64) std::uint16_t values[32];
  _mm512_store_si512(values, words);
  for (int i = 0; i < 32; ++i) {
    const auto sum = static_cast<std::uint32_t>(sums[2 * i + odd]);
    sums[2 * i + odd] = static_cast<std::int32_t>(sum + (std::uint32_t{values[i]} << shift));
  }
}

template <int parts, int bytes>
void sum_position_block(const TapLookup& lookup, const std::uint8_t* columns, std::size_t positions,
                        const std::uint8_t* rows, std::size_t taps, std::int32_t* sums) {
  const __m512i low_bytes = _mm512_set1_epi16(0xFF);
  for (std::size_t first = 0; first < taps; first += most_byte_sums) {
    const std::size_t end = first + most_byte_sums < taps ? first + most_byte_sums : taps;
    __m512i even[bytes];
    __m512i odd[bytes];
    for (int byte = 0; byte < bytes; ++byte) even[byte] = odd[byte] = _mm512_setzero_si512();
    for (std::size_t tap = first; tap < end; ++tap) {
      const __m512i at = _mm512_load_si512(columns + tap * positions);
#pragma GCC unroll 4
      for (int byte = 0; byte < bytes; ++byte) {
        const __m512i found = look_up<parts>(lookup.part(byte, rows[tap]), at);
        even[byte] = _mm512_add_epi16(even[byte], _mm512_and_si512(found, low_bytes));
        odd[byte] = _mm512_add_epi16(odd[byte], _mm512_srli_epi16(found, 8));
      }
    }
    for (int byte = 0; byte < bytes; ++byte) {
      add_to(sums, even[byte], 0, 8 * byte);
      add_to(sums, odd[byte], 1, 8 * byte);
    }
  }
}

template <int parts, int bytes>
void sum_all(const TapLookup& lookup, const std::uint8_t* columns, std::size_t positions,
             const std::uint8_t* rows, std::size_t taps, std::int32_t* sums) {
  for (std::size_t first = 0; first < positions; first += TapLookup::position_step) {
    sum_position_block<parts, bytes>(lookup, columns + first, positions, rows, taps, sums + first);
  }
}

template <int parts>
void sum_bytes(const TapLookup& lookup, const std::uint8_t* columns, std::size_t positions,
               const std::uint8_t* rows, std::size_t taps, std::int32_t* sums) {
  switch (lookup.bytes()) {
    case 1:
      return sum_all<parts, 1>(lookup, columns, positions, rows, taps, sums);
    case 2:
      return sum_all<parts, 2>(lookup, columns, positions, rows, taps, sums);
    case 3:
      return sum_all<parts, 3>(lookup, columns, positions, rows, taps, sums);
    default:
      return sum_all<parts, 4>(lookup, columns, positions, rows, taps, sums);
  }
}

}  // namespace

void sum_lookups_avx512(const TapLookup& lookup, const std::uint8_t* columns, std::size_t positions,
                        const std::uint8_t* rows, std::size_t taps, std::int32_t* sums) {
  const std::int32_t base = base_sum(lookup, taps);
  for (std::size_t i = 0; i < positions; ++i) sums[i] = base;
  if (lookup.columns() <= 64) {
    sum_bytes<1>(lookup, columns, positions, rows, taps, sums);
  } else if (lookup.columns() <= 128) {
    sum_bytes<2>(lookup, columns, positions, rows, taps, sums);
  } else {
    sum_bytes<4>(lookup, columns, positions, rows, taps, sums);
  }
}

}  // namespace abacus::models::kernels

ABACUS_END_TARGET
#endif
