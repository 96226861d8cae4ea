// Compiles the functions between ABACUS_BEGIN_… and ABACUS_END_TARGET for an instruction set that
// the rest of the program does not require, and brings the intrinsics. Between the two stand no
// includes and no standard library templates: an inline function compiled there could replace the
// one that other files use.
#pragma once

#if defined(__x86_64__)

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes its own _mm512_undefined_epi32() for a mistake (GCC bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#define ABACUS_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define ABACUS_BEGIN_AVX2 \
  ABACUS_PRAGMA(clang attribute push(__attribute__((target("avx2,bmi2"))), apply_to = function))
#define ABACUS_BEGIN_AVX512                                                               \
  ABACUS_PRAGMA(clang attribute push(                                                     \
      __attribute__((                                                                     \
          target("avx2,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni"))), \
      apply_to = function))
#define ABACUS_END_TARGET ABACUS_PRAGMA(clang attribute pop)
#else
#define ABACUS_BEGIN_AVX2 ABACUS_PRAGMA(GCC push_options) ABACUS_PRAGMA(GCC target("avx2,bmi2"))
#define ABACUS_BEGIN_AVX512                                                                   \
  ABACUS_PRAGMA(GCC push_options)                                                             \
  ABACUS_PRAGMA(                                                                              \
      GCC target("avx2,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni,prefer-" \
                 "vector-width=512"))
#define ABACUS_END_TARGET ABACUS_PRAGMA(GCC pop_options)
#endif

#endif
