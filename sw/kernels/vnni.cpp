#include "sw/kernels/vnni.hpp"

#include <algorithm>

namespace abacus::kernels {

#ifdef ABACUS_HAS_VNNI

bool vnni_supported() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}

ABACUS_VNNI float largest_magnitude(const float* values, std::size_t count) {
  __m512 largest = _mm512_setzero_ps();
  for (std::size_t i = 0; i < count; i += 16) {
    const __mmask16 used = first_lanes(static_cast<int>(std::min<std::size_t>(16, count - i)));
    largest = _mm512_max_ps(largest, _mm512_abs_ps(_mm512_maskz_loadu_ps(used, values + i)));
  }
  return _mm512_reduce_max_ps(largest);
}

#else

bool vnni_supported() { return false; }

#endif

}  // namespace abacus::kernels
