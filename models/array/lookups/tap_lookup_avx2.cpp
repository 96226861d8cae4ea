// AVX2: 32 positions at once, 16 columns of the table a permutation. Activations of more than 6 bits take as
// long as without vectors and are left to the portable version.
#include "models/array/lookups/tap_lookup_targets.hpp"

#if defined(__x86_64__)
#include "models/simd/target_attributes.hpp"

ABACUS_BEGIN_AVX2

namespace abacus::models::kernels {
namespace {

// Looks 32 columns up in a row of parts × 16 bytes.
template <int parts>
inline __m256i look_up(const std::uint8_t* row, __m256i columns) {
  const auto part = [&](int i) __attribute__((always_inline)) {
    return _mm256_broadcastsi128_si256(
        _mm_load_si128(reinterpret_cast<const __m128i*>(row + 16 * i)));
  };
  if constexpr (parts == 1) return _mm256_shuffle_epi8(part(0), columns);
  __m256i found = _mm256_setzero_si256();
#pragma GCC unroll 4
  for (int i = 0; i < parts; ++i) {
    // Within the part 112 … 127, whose low four bits count; elsewhere the top bit, which gives 0.
    const __m256i index =
        _mm256_adds_epu8(_mm256_sub_epi8(columns, _mm256_set1_epi8(static_cast<char>(16 * i))),
                         _mm256_set1_epi8(112));
    found = _mm256_or_si256(found, _mm256_shuffle_epi8(part(i), index));
  }
  return found;
}

// Adds 16-bit sums of even or odd positions, of bytes worth 2^shift, to the positions' sums.
inline void add_to(std::int32_t* sums, __m256i words, int odd, int shift) {
  alignas(32) std::uint16_t values[16];
  _mm256_store_si256(reinterpret_cast<__m256i*>(values), words);
  for (int i = 0; i < 16; ++i) {
    const auto sum = static_cast<std::uint32_t>(sums[2 * i + odd]);
    sums[2 * i + odd] = static_cast<std::int32_t>(sum + (std::uint32_t{values[i]} << shift));
  }
}

template <int parts>
void sum_positions(const TapLookup& lookup, int byte, const std::uint8_t* columns,
                   std::size_t positions, const std::uint8_t* rows, std::size_t taps,
                   std::int32_t* sums) {
  const __m256i low_bytes = _mm256_set1_epi16(0xFF);
  for (std::size_t first = 0; first < taps; first += most_byte_sums) {
    const std::size_t end = first + most_byte_sums < taps ? first + most_byte_sums : taps;
    __m256i even = _mm256_setzero_si256();
    __m256i odd = _mm256_setzero_si256();
    for (std::size_t tap = first; tap < end; ++tap) {
      const __m256i at =
          _mm256_load_si256(reinterpret_cast<const __m256i*>(columns + tap * positions));
      const __m256i found = look_up<parts>(lookup.part(byte, rows[tap]), at);
      even = _mm256_add_epi16(even, _mm256_and_si256(found, low_bytes));
      odd = _mm256_add_epi16(odd, _mm256_srli_epi16(found, 8));
    }
    add_to(sums, even, 0, 8 * byte);
    add_to(sums, odd, 1, 8 * byte);
  }
}

template <int parts>
void sum_all(const TapLookup& lookup, const std::uint8_t* columns, std::size_t positions,
             const std::uint8_t* rows, std::size_t taps, std::int32_t* sums) {
  for (std::size_t first = 0; first < positions; first += 32) {
    for (int byte = 0; byte < lookup.bytes(); ++byte) {
      sum_positions<parts>(lookup, byte, columns + first, positions, rows, taps, sums + first);
    }
  }
}

}  // namespace

void sum_lookups_avx2(const TapLookup& lookup, const std::uint8_t* columns, std::size_t positions,
                      const std::uint8_t* rows, std::size_t taps, std::int32_t* sums) {
  if (lookup.columns() > 64) {
    return sum_lookups_portable(lookup, columns, positions, rows, taps, sums);
  }
  const std::int32_t base = base_sum(lookup, taps);
  for (std::size_t i = 0; i < positions; ++i) sums[i] = base;
  if (lookup.columns() <= 16) {
    sum_all<1>(lookup, columns, positions, rows, taps, sums);
  } else if (lookup.columns() <= 32) {
    sum_all<2>(lookup, columns, positions, rows, taps, sums);
  } else {
    sum_all<4>(lookup, columns, positions, rows, taps, sums);
  }
}

}  // namespace abacus::models::kernels

ABACUS_END_TARGET
#endif
