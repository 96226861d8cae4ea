// AVX-512: a permutation finds the bytes of a step's channels for each column, a product with the
// multipliers adds four channels up.
#include "models/array/parts/pass_targets.hpp"

#if defined(__x86_64__)
#include "models/simd/target_attributes.hpp"

ABACUS_BEGIN_AVX512

namespace abacus::models::kernels {
namespace {

template <int entries>
inline __m512i found(const std::uint8_t* bytes, __m512i index) {
  const __m512i first = _mm512_load_si512(bytes);
  if constexpr (entries == 32) {
    return _mm512_permutex2var_epi8(first, index, _mm512_load_si512(bytes + 64));
  } else {
    return _mm512_permutexvar_epi8(index, first);
  }
}

// 16 columns of 32 bits, or of two halves of 32 bits each 8 columns.
template <int entries>
inline void add(__m512i sum, std::int32_t* accumulators, __mmask16 columns, __m128i kept_shift) {
  if constexpr (entries == 8) {
    sum = _mm512_add_epi32(sum, _mm512_srli_epi64(sum, 32));
    auto* to = reinterpret_cast<__m256i*>(accumulators);
    const __m256i before = _mm256_sll_epi32(_mm256_loadu_si256(to), kept_shift);
    _mm256_storeu_si256(to, _mm256_add_epi32(before, _mm512_cvtepi64_epi32(sum)));
  } else {
    const __m512i before =
        _mm512_sll_epi32(_mm512_maskz_loadu_epi32(columns, accumulators), kept_shift);
    _mm512_mask_storeu_epi32(accumulators, columns, _mm512_add_epi32(before, sum));
  }
}

// GCC would rather load a vector again for each use.
inline void keep_in_register(__m512i& vector) { asm("" : "+v"(vector)); }

// Weights of a step for `blocks` blocks of columns.
template <int entries, int blocks>
struct Weights {
  static constexpr int bytes = entries == 8 ? 128 : 192;  // of a block
  explicit Weights(const std::uint8_t* from) {
#pragma GCC unroll 2
    for (int b = 0; b < blocks; ++b) {
      index[b] = _mm512_load_si512(from + bytes * b);
      multipliers[b] = _mm512_load_si512(from + bytes * b + 64);
    }
  }
  __m512i index[blocks];
  __m512i multipliers[blocks];
};

template <int entries>
struct Step {
  static constexpr int channels = entries == 8 ? 8 : 4;
  static constexpr int columns = entries == 8 ? 8 : 16;
  explicit Step(const PassStrip& strip)
      : count(strip.groups * 8 / channels),
        bytes(static_cast<std::size_t>((strip.column_blocks * 8 + columns - 1) / columns) *
              Weights<entries, 1>::bytes) {}
  int count;
  std::size_t bytes;  // from a step's weights to the next one's
};

// The sums of `positions` positions and `blocks` blocks of columns, which share what they load; of
// looked-up bytes and, with a digit, of the activations' products.
template <int positions, int blocks>
struct Sums {
  Sums() {
#pragma GCC unroll 8
    for (int p = 0; p < positions; ++p) {
#pragma GCC unroll 2
      for (int b = 0; b < blocks; ++b) bytes[p][b] = digits[p][b] = _mm512_setzero_si512();
    }
  }
  __m512i bytes[positions][blocks];
  __m512i digits[positions][blocks];
};

inline __m512i four_operands(const std::uint8_t* from) {
  int four;
  __builtin_memcpy(&four, from, sizeof four);
  return _mm512_set1_epi32(four);
}

// Whatever kernel and stride are.
// So many operands on; where no digit is taken from them there are none, and null stays null.
template <bool digit>
inline const std::uint8_t* advanced(const std::uint8_t* operands, std::size_t by) {
  if constexpr (digit) return operands + by;
  return operands;
}

template <int entries, bool digit, int positions, int blocks>
inline void sum_any(const PassStrip& strip, const std::uint8_t* const* rows, int first,
                    const std::uint8_t* weights, Sums<positions, blocks>& sums) {
  const Step<entries> steps(strip);
  for (int ky = 0; ky < strip.kernel; ++ky) {
    for (int kx = 0; kx < strip.kernel; ++kx) {
      const std::uint8_t* bytes =
          rows[ky] + first * strip.position + static_cast<std::size_t>(kx) * strip.pixel;
      const std::uint8_t* operands =
          advanced<digit>(strip.operands, first * strip.operand_position +
                                              static_cast<std::size_t>(ky) * strip.operand_row +
                                              static_cast<std::size_t>(kx) * strip.operand_pixel);
      const std::uint8_t* from = weights;
      for (int step = 0; step < steps.count; ++step) {
        const Weights<entries, blocks> w(from);
#pragma GCC unroll 8
        for (int p = 0; p < positions; ++p) {
          const std::uint8_t* at = bytes + static_cast<std::size_t>(p) * strip.position;
#pragma GCC unroll 2
          for (int b = 0; b < blocks; ++b) {
            sums.bytes[p][b] = _mm512_dpbusd_epi32(sums.bytes[p][b], found<entries>(at, w.index[b]),
                                                   w.multipliers[b]);
          }
          if constexpr (digit) {
            sums.digits[p][0] = _mm512_dpbusd_epi32(
                sums.digits[p][0],
                four_operands(operands + static_cast<std::size_t>(p) * strip.operand_position),
                _mm512_load_si512(from + 128));
          }
        }
        bytes += Step<entries>::channels * entries;
        operands = advanced<digit>(operands, Step<entries>::channels);
        from += steps.bytes;
      }
      weights += strip.tap;
    }
  }
}

// Kernel 3, stride 1: what an operand position loads serves three output positions.
template <int entries, bool digit, int positions, int blocks>
inline void sum_threes(const PassStrip& strip, const std::uint8_t* const* rows, int first,
                       const std::uint8_t* weights, Sums<positions, blocks>& sums) {
  using W = Weights<entries, blocks>;
  const Step<entries> steps(strip);
  for (int ky = 0; ky < 3; ++ky) {
    const std::uint8_t* bytes = rows[ky] + first * strip.position;
    const std::uint8_t* operands =
        advanced<digit>(strip.operands, first * strip.operand_position +
                                            static_cast<std::size_t>(ky) * strip.operand_row);
    const std::uint8_t* from = weights;
    for (int step = 0; step < steps.count; ++step) {
      const W w[3] = {W(from), W(from + strip.tap), W(from + 2 * strip.tap)};
      __m512i digits[3];
      if constexpr (digit) {
#pragma GCC unroll 3
        for (int kx = 0; kx < 3; ++kx) digits[kx] = _mm512_load_si512(from + kx * strip.tap + 128);
      }
#pragma GCC unroll 10
      for (int q = 0; q < positions + 2; ++q) {
        const std::uint8_t* at = bytes + static_cast<std::size_t>(q) * strip.pixel;
        __m512i low = _mm512_load_si512(at);
        keep_in_register(low);
        __m512i high = low;
        if constexpr (entries == 32) {
          high = _mm512_load_si512(at + 64);
          keep_in_register(high);
        }
        __m512i four = low;
        if constexpr (digit) {
          four = four_operands(operands + static_cast<std::size_t>(q) * strip.operand_pixel);
          keep_in_register(four);
        }
#pragma GCC unroll 3
        for (int kx = 0; kx < 3; ++kx) {
          const int p = q - kx;
          if (p < 0 || p >= positions) continue;
#pragma GCC unroll 2
          for (int b = 0; b < blocks; ++b) {
            const __m512i byte = entries == 32 ? _mm512_permutex2var_epi8(low, w[kx].index[b], high)
                                               : _mm512_permutexvar_epi8(w[kx].index[b], low);
            sums.bytes[p][b] = _mm512_dpbusd_epi32(sums.bytes[p][b], byte, w[kx].multipliers[b]);
          }
          if constexpr (digit) {
            sums.digits[p][0] = _mm512_dpbusd_epi32(sums.digits[p][0], four, digits[kx]);
          }
        }
      }
      bytes += Step<entries>::channels * entries;
      operands = advanced<digit>(operands, Step<entries>::channels);
      from += steps.bytes;
    }
    weights += 3 * strip.tap;
  }
}

template <int entries, bool digit, int positions, int blocks>
inline void look_up_block(const PassStrip& strip, const std::uint8_t* const* rows, int first,
                          const std::uint8_t* weights, __mmask16 columns,
                          std::int32_t* accumulators) {
  Sums<positions, blocks> sums;
  if (strip.kernel == 3 && strip.position == strip.pixel) {
    sum_threes<entries, digit>(strip, rows, first, weights, sums);
  } else {
    sum_any<entries, digit>(strip, rows, first, weights, sums);
  }
  // By 32 bits or more: nothing is left.
  const __m128i kept_shift = _mm_cvtsi32_si128(strip.kept_shift < 0 ? 32 : strip.kept_shift);
  const __m128i digit_shift = _mm_cvtsi32_si128(strip.digit_shift);
#pragma GCC unroll 8
  for (int p = 0; p < positions; ++p) {
#pragma GCC unroll 2
    for (int b = 0; b < blocks; ++b) {
      __m512i sum = sums.bytes[p][b];
      if constexpr (digit) {
        sum = _mm512_add_epi32(sum, _mm512_sll_epi32(sums.digits[p][b], digit_shift));
      }
      add<entries>(sum,
                   accumulators + static_cast<std::size_t>(p) * strip.column_blocks * 8 +
                       b * Step<entries>::columns,
                   columns, kept_shift);
    }
  }
}

constexpr int most_positions = 8;

template <int entries, bool digit, int blocks>
inline void look_up_positions(int positions, const PassStrip& strip,
                              const std::uint8_t* const* rows, int first,
                              const std::uint8_t* weights, __mmask16 columns,
                              std::int32_t* accumulators) {
  switch (positions) {
#define ABACUS_CASE(n)                                                                    \
  case n:                                                                                 \
    return look_up_block<entries, digit, n, blocks>(strip, rows, first, weights, columns, \
                                                    accumulators);
    ABACUS_CASE(1)
    ABACUS_CASE(2)
    ABACUS_CASE(3)
    ABACUS_CASE(4)
    ABACUS_CASE(5)
    ABACUS_CASE(6)
    ABACUS_CASE(7)
    ABACUS_CASE(8)
#undef ABACUS_CASE
    default:
      return;
  }
}

template <int entries, bool digit>
inline void look_up_strip(const PassStrip& strip, const std::uint8_t* const* rows,
                          const std::uint8_t* blocks, std::int32_t* accumulators) {
  constexpr int block_bytes = Weights<entries, 1>::bytes;
  const int runs = (strip.positions + most_positions - 1) / most_positions;
  for (int run = 0; run < runs; ++run) {
    // Runs of nearly equal length.
    const int first = strip.positions * run / runs;
    const int positions = strip.positions * (run + 1) / runs - first;
    std::int32_t* sums = accumulators + static_cast<std::size_t>(first) * strip.column_blocks * 8;
    int block = 0;  // of 8 columns
    if constexpr (entries == 8) {
      for (; block + 2 <= strip.column_blocks; block += 2) {
        look_up_positions<8, false, 2>(positions, strip, rows, first, blocks + block * block_bytes,
                                       0, sums + block * 8);
      }
      if (block < strip.column_blocks) {
        look_up_positions<8, false, 1>(positions, strip, rows, first, blocks + block * block_bytes,
                                       0, sums + block * 8);
      }
    } else {
      for (; block < strip.column_blocks; block += 2) {
        const bool half = block + 1 == strip.column_blocks;
        look_up_positions<entries, digit, 1>(
            positions, strip, rows, first, blocks + block / 2 * block_bytes,
            static_cast<__mmask16>(half ? 0x00FF : 0xFFFF), sums + block * 8);
      }
    }
  }
}

}  // namespace

void accumulate_pass_avx512(const PassStrip& strip, const std::uint8_t* const* rows,
                            const std::uint8_t* blocks, std::int32_t* accumulators) {
  const bool digit = strip.operands != nullptr;
  if (strip.entries == 8) {
    look_up_strip<8, false>(strip, rows, blocks, accumulators);
  } else if (strip.entries == 16) {
    digit ? look_up_strip<16, true>(strip, rows, blocks, accumulators)
          : look_up_strip<16, false>(strip, rows, blocks, accumulators);
  } else {
    digit ? look_up_strip<32, true>(strip, rows, blocks, accumulators)
          : look_up_strip<32, false>(strip, rows, blocks, accumulators);
  }
}

template <int entries>
void look_up_avx512(const std::uint8_t* bytes, std::size_t operands,
                    const std::uint8_t* activations, std::uint8_t* looked_up) {
  for (std::size_t i = 0; i < operands; i += 8) {
    // Loads bound this loop: one for the eight activations.
    unsigned long long eight;
    __builtin_memcpy(&eight, activations + i, sizeof eight);
#pragma GCC unroll 8
    for (int k = 0; k < 8; k += 2) {
      const std::uint8_t* even = bytes + (eight & 255) * entries;
      const std::uint8_t* odd = bytes + (eight >> 8 & 255) * entries;
      std::uint8_t* to = looked_up + (i + static_cast<std::size_t>(k)) * entries;
      eight >>= 16;
      if constexpr (entries == 32) {
        const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(even));
        _mm512_store_si512(
            to, _mm512_inserti64x4(_mm512_castsi256_si512(low),
                                   _mm256_loadu_si256(reinterpret_cast<const __m256i*>(odd)), 1));
      } else {
        __builtin_memcpy(to, even, entries);
        __builtin_memcpy(to + entries, odd, entries);
      }
    }
  }
}

template void look_up_avx512<8>(const std::uint8_t*, std::size_t, const std::uint8_t*,
                                std::uint8_t*);
template void look_up_avx512<16>(const std::uint8_t*, std::size_t, const std::uint8_t*,
                                 std::uint8_t*);
template void look_up_avx512<32>(const std::uint8_t*, std::size_t, const std::uint8_t*,
                                 std::uint8_t*);

}  // namespace abacus::models::kernels

ABACUS_END_TARGET
#endif
