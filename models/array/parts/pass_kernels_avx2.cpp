// AVX2: a shuffle finds the bytes of 16 columns in a lane, those of two channels stand side by side
// after unpacking, and a product with the multipliers adds the two up, in 16 bits as long as they last.
#include "models/array/parts/pass_targets.hpp"

#if defined(__x86_64__)
#include "models/simd/target_attributes.hpp"

ABACUS_BEGIN_AVX2

namespace abacus::models::kernels {
namespace {

__m256i load(const void* from) { return _mm256_load_si256(static_cast<const __m256i*>(from)); }

// Both lanes' eight sums, of 16 bits, to eight of 32.
__m256i widened(__m256i sums) {
  return _mm256_add_epi32(_mm256_cvtepi16_epi32(_mm256_castsi256_si128(sums)),
                          _mm256_cvtepi16_epi32(_mm256_extracti128_si256(sums, 1)));
}

template <int positions>
inline void look_up_block(const PassStrip& strip, const std::uint8_t* const* rows,
                          std::size_t offset, const std::uint8_t* weights, bool both_halves,
                          std::int32_t* accumulators) {
  const int steps = strip.groups * 8 * strip.entries / 64;
  const int steps_at_once = 32767 / strip.largest_sum;
  const std::size_t step_bytes = static_cast<std::size_t>((strip.column_blocks + 1) / 2) * 128;
  __m256i sums[positions][2];
#pragma GCC unroll 4
  for (int p = 0; p < positions; ++p) sums[p][0] = sums[p][1] = _mm256_setzero_si256();
  for (int ky = 0; ky < strip.kernel; ++ky) {
    for (int kx = 0; kx < strip.kernel; ++kx) {
      const std::uint8_t* bytes = rows[ky] + offset + static_cast<std::size_t>(kx) * strip.pixel;
      const std::uint8_t* step_weights = weights;
      for (int first = 0; first < steps; first += steps_at_once) {
        const int end = first + steps_at_once < steps ? first + steps_at_once : steps;
        __m256i short_sums[positions][2];
#pragma GCC unroll 4
        for (int p = 0; p < positions; ++p) {
          short_sums[p][0] = short_sums[p][1] = _mm256_setzero_si256();
        }
        for (int step = first; step < end; ++step) {
#pragma GCC unroll 4
          for (int p = 0; p < positions; ++p) {
            const std::uint8_t* two = bytes + static_cast<std::size_t>(p) * strip.position;
            const __m256i a = _mm256_shuffle_epi8(load(two), load(step_weights));
            const __m256i b = _mm256_shuffle_epi8(load(two + 32), load(step_weights + 32));
            short_sums[p][0] = _mm256_add_epi16(
                short_sums[p][0],
                _mm256_maddubs_epi16(_mm256_unpacklo_epi8(a, b), load(step_weights + 64)));
            short_sums[p][1] = _mm256_add_epi16(
                short_sums[p][1],
                _mm256_maddubs_epi16(_mm256_unpackhi_epi8(a, b), load(step_weights + 96)));
          }
          bytes += 64;
          step_weights += step_bytes;
        }
#pragma GCC unroll 4
        for (int p = 0; p < positions; ++p) {
          sums[p][0] = _mm256_add_epi32(sums[p][0], widened(short_sums[p][0]));
          sums[p][1] = _mm256_add_epi32(sums[p][1], widened(short_sums[p][1]));
        }
      }
      weights += strip.tap;
    }
  }
  // By 32 bits or more: nothing is left.
  const __m128i kept_shift = _mm_cvtsi32_si128(strip.kept_shift < 0 ? 32 : strip.kept_shift);
  for (int p = 0; p < positions; ++p) {
    for (int half = 0; half < (both_halves ? 2 : 1); ++half) {
      auto* to = reinterpret_cast<__m256i*>(
          accumulators + static_cast<std::size_t>(p) * strip.column_blocks * 8 + 8 * half);
      const __m256i kept = _mm256_sll_epi32(_mm256_loadu_si256(to), kept_shift);
      _mm256_storeu_si256(to, _mm256_add_epi32(kept, sums[p][half]));
    }
  }
}

}  // namespace

void accumulate_pass_avx2(const PassStrip& strip, const std::uint8_t* const* rows,
                          const std::uint8_t* blocks, std::int32_t* accumulators) {
  constexpr int most_positions = 3;
  const std::size_t output = static_cast<std::size_t>(strip.column_blocks) * 8;
  for (int block = 0; block < strip.column_blocks; block += 2) {
    const bool both = block + 1 < strip.column_blocks;
    const std::uint8_t* weights = blocks + block / 2 * 128;
    int x = 0;
    for (; x + most_positions <= strip.positions; x += most_positions) {
      look_up_block<most_positions>(strip, rows, x * strip.position, weights, both,
                                    accumulators + x * output + block * 8);
    }
    if (x + 2 == strip.positions) {
      look_up_block<2>(strip, rows, x * strip.position, weights, both,
                       accumulators + x * output + block * 8);
    } else if (x + 1 == strip.positions) {
      look_up_block<1>(strip, rows, x * strip.position, weights, both,
                       accumulators + x * output + block * 8);
    }
  }
}

}  // namespace abacus::models::kernels

ABACUS_END_TARGET
#endif
