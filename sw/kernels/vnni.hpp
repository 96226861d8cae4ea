// Products of bytes, summed four at a time (AVX-512 VNNI). Debian 12's Highway has neither this
// operation nor a target that starts with the processors that have it (Intel Cascade Lake, AMD Zen 4):
// kernels on bytes are written in intrinsics, functions marked ABACUS_VNNI, and are called only where
// vnni_supported(). Every other vector kernel of this room is Highway's.
#pragma once

#include <cstddef>

namespace abacus::kernels {

// Whether compiler and processor have it.
bool vnni_supported();

}  // namespace abacus::kernels

#if defined(__x86_64__) && defined(__GNUC__)
#define ABACUS_HAS_VNNI 1

#if !defined(__clang__)
// GCC 12 takes its own _mm512_undefined_epi32() for a mistake (GCC bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif

// Marks single functions, so that no inline function of a header is compiled for a processor that
// the rest of the program cannot count on.
#define ABACUS_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define ABACUS_VNNI_INLINE ABACUS_VNNI inline __attribute__((always_inline))

namespace abacus::kernels {

ABACUS_VNNI_INLINE __mmask16 first_lanes(int count) {
  return static_cast<__mmask16>(count >= 16 ? 0xFFFFU : (1U << count) - 1U);
}

ABACUS_VNNI float largest_magnitude(const float* values, std::size_t count);

// Largest 16-bit number whose two signed bytes both exist.
constexpr float kLargestPair = 127 * 256 + 127;

// Numbers of 16 bits as two signed bytes each: 256 · upper + lower.
struct BytePair {
  __m512i upper, lower;
};
// The first `count` of up to 16 values, times `factor`, rounded.
ABACUS_VNNI_INLINE BytePair split_bytes(const float* values, int count, __m512 factor) {
  const __m512 scaled = _mm512_mul_ps(_mm512_maskz_loadu_ps(first_lanes(count), values), factor);
  const __m512i whole = _mm512_cvtps_epi32(scaled);
  const __m512i upper = _mm512_srai_epi32(_mm512_add_epi32(whole, _mm512_set1_epi32(128)), 8);
  return {upper, _mm512_sub_epi32(whole, _mm512_slli_epi32(upper, 8))};
}

}  // namespace abacus::kernels
#endif
