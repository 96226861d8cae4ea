// AVX-512. The loops are bound by the byte operation and its accumulation: two vector operations
// for 64 difference taps (vpsadbw, vpaddq), one for 64 product taps (vpdpbusd).
#include "models/array/kernels_targets.hpp"

#if defined(__x86_64__)
#include "models/simd/target_attributes.hpp"

ABACUS_BEGIN_AVX512

namespace abacus::models::kernels {
namespace {

// Looks 64 fields of weight_bits ≤ 6, 7 or 8 bits up in a table of 256 bytes.
template <int weight_bits>
class ByteTable {
 public:
  explicit ByteTable(const std::uint8_t* table) {
    for (int i = 0; i < parts; ++i) parts_[i] = _mm512_load_si512(table + 64 * i);
  }
  __m512i operator()(__m512i fields) const {
    if constexpr (weight_bits <= 6) {
      return _mm512_permutexvar_epi8(fields, parts_[0]);
    } else {
      const __m512i low = _mm512_permutex2var_epi8(parts_[0], fields, parts_[1]);
      if constexpr (weight_bits == 7) {
        return low;
      } else {
        const __m512i high = _mm512_permutex2var_epi8(parts_[2], fields, parts_[3]);
        return _mm512_mask_blend_epi8(_mm512_movepi8_mask(fields), low, high);
      }
    }
  }

 private:
  static constexpr int parts = weight_bits <= 6 ? 1 : weight_bits == 7 ? 2 : 4;
  __m512i parts_[parts];
};

// table_bits: width for the tables, 6, 7 or 8.
template <int table_bits>
void unpack(const TapPlan& plan, const WeightShape& shape, const std::uint8_t* packed,
            std::uint8_t* blocks, std::int32_t* corrections) {
  const int bits = plan.weight_bits;
  const int groups = shape.channel_groups();
  const std::size_t packed_step = static_cast<std::size_t>(shape.columns) * bits;
  const std::size_t block_step = static_cast<std::size_t>(shape.column_blocks()) * 64;
  // A group's `bits` bytes go to a 64-bit lane; its eight fields, at bit offsets i × bits, to the
  // bytes.
  alignas(64) std::uint8_t spread[64];
  alignas(64) std::uint8_t offsets[64];
  alignas(64) std::uint8_t last[64];
  const auto field_mask = static_cast<std::uint8_t>((1u << bits) - 1);
  const int last_channels = shape.channels - (groups - 1) * 8;
  for (int i = 0; i < 64; ++i) {
    spread[i] = static_cast<std::uint8_t>(i / 8 * bits + i % 8);
    offsets[i] = static_cast<std::uint8_t>(i % 8 * bits);
    last[i] = i % 8 < last_channels ? field_mask : std::uint8_t{0};
  }
  const __m512i spread_bytes = _mm512_load_si512(spread);
  const __m512i bit_offsets = _mm512_load_si512(offsets);
  const __m512i mask = _mm512_set1_epi8(static_cast<char>(field_mask));
  const __m512i last_mask = _mm512_load_si512(last);
  const ByteTable<table_bits> weights(plan.weight8);
  const ByteTable<table_bits> low(plan.correction_low);
  const ByteTable<table_bits> high(plan.correction_high);
  const __m512i zero = _mm512_setzero_si512();
  const int fields = 8 * shape.taps * groups;

  for (int block = 0; block < shape.column_blocks(); ++block) {
    const int columns = shape.columns - block * 8 < 8 ? shape.columns - block * 8 : 8;
    const __mmask64 present = _bzhi_u64(~0ull, static_cast<unsigned>(columns * bits));
    const std::uint8_t* source = packed + static_cast<std::size_t>(block) * 8 * bits;
    std::uint8_t* target = blocks + block * 64;
    __m512i low_sums = zero;
    __m512i high_sums = zero;
    for (int tap = 0; tap < shape.taps; ++tap) {
      for (int group = 0; group < groups; ++group) {
        const __m512i bytes = _mm512_maskz_loadu_epi8(present, source);
        const __m512i lanes = _mm512_permutexvar_epi8(spread_bytes, bytes);
        const __m512i found = _mm512_and_si512(_mm512_multishift_epi64_epi8(bit_offsets, lanes),
                                               group == groups - 1 ? last_mask : mask);
        _mm512_store_si512(target, weights(found));
        if (plan.corrected) {
          low_sums = _mm512_add_epi64(low_sums, _mm512_sad_epu8(low(found), zero));
          high_sums = _mm512_add_epi64(high_sums, _mm512_sad_epu8(high(found), zero));
        }
        source += packed_step;
        target += block_step;
      }
    }
    __m256i correction = _mm256_setzero_si256();
    if (plan.corrected) {
      const __m512i sums = _mm512_add_epi64(low_sums, _mm512_slli_epi64(high_sums, 8));
      correction = _mm256_add_epi32(
          _mm256_mullo_epi32(_mm512_cvtepi64_epi32(sums), _mm256_set1_epi32(plan.correction_scale)),
          _mm256_set1_epi32(static_cast<int>(static_cast<unsigned>(plan.correction_base) *
                                             static_cast<unsigned>(fields))));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(corrections + block * 8), correction);
  }
}

struct Strides {
  std::size_t position;     // bytes from an output position's window to the next one's
  std::size_t operand_row;  // bytes from a window's row to the next
  std::size_t block_step;   // bytes from a tap's blocks to the next tap's
  std::size_t output;       // accumulators from a position to the next
};

// `positions` neighbouring output positions × `blocks` column blocks, all sums in registers.
template <TapKernel kernel, int positions, int blocks>
inline void accumulate_block(const std::uint8_t* operands, const std::uint8_t* weights,
                             const std::int32_t* corrections, int rows, int steps,
                             const Strides& strides, std::int32_t* accumulators) {
  __m512i sums[positions][blocks];
#pragma GCC unroll 16
  for (int p = 0; p < positions; ++p) {
#pragma GCC unroll 2
    for (int b = 0; b < blocks; ++b) sums[p][b] = _mm512_setzero_si512();
  }
  for (int row = 0; row < rows; ++row) {
    const std::uint8_t* activations = operands + row * strides.operand_row;
    for (int step = 0; step < steps; ++step) {
      __m512i w[blocks];
#pragma GCC unroll 2
      for (int b = 0; b < blocks; ++b) w[b] = _mm512_load_si512(weights + 64 * b);
#pragma GCC unroll 16
      for (int p = 0; p < positions; ++p) {
        long long channels;
        __builtin_memcpy(&channels, activations + static_cast<std::size_t>(p) * strides.position,
                         sizeof channels);
        const __m512i a = _mm512_set1_epi64(channels);
#pragma GCC unroll 2
        for (int b = 0; b < blocks; ++b) {
          if constexpr (kernel == TapKernel::difference8) {
            sums[p][b] = _mm512_add_epi64(sums[p][b], _mm512_sad_epu8(a, w[b]));
          } else {
            sums[p][b] = _mm512_dpbusd_epi32(sums[p][b], a, w[b]);
          }
        }
      }
      activations += 8;
      weights += strides.block_step;
    }
  }
#pragma GCC unroll 2
  for (int b = 0; b < blocks; ++b) {
    const __m256i correction =
        _mm256_load_si256(reinterpret_cast<const __m256i*>(corrections + 8 * b));
#pragma GCC unroll 16
    for (int p = 0; p < positions; ++p) {
      __m512i sum = sums[p][b];
      // A column's product sum stands in two halves of its lane.
      if constexpr (kernel == TapKernel::product8) {
        sum = _mm512_add_epi32(sum, _mm512_srli_epi64(sum, 32));
      }
      _mm256_store_si256(reinterpret_cast<__m256i*>(
                             accumulators + static_cast<std::size_t>(p) * strides.output + 8 * b),
                         _mm256_add_epi32(_mm512_cvtepi64_epi32(sum), correction));
    }
  }
}

// Two column blocks × 14 positions fill the 32 registers: 28 sums, 2 weights, an activation and a
// difference.
constexpr int most_positions = 14;

template <TapKernel kernel, int blocks>
inline void accumulate_positions(int positions, const std::uint8_t* operands,
                                 const std::uint8_t* weights, const std::int32_t* corrections,
                                 int rows, int steps, const Strides& strides,
                                 std::int32_t* accumulators) {
  switch (positions) {
#define ABACUS_CASE(n)                                                                      \
  case n:                                                                                   \
    return accumulate_block<kernel, n, blocks>(operands, weights, corrections, rows, steps, \
                                               strides, accumulators);
    ABACUS_CASE(1)
    ABACUS_CASE(2)
    ABACUS_CASE(3)
    ABACUS_CASE(4)
    ABACUS_CASE(5)
    ABACUS_CASE(6)
    ABACUS_CASE(7)
    ABACUS_CASE(8)
    ABACUS_CASE(9)
    ABACUS_CASE(10)
    ABACUS_CASE(11)
    ABACUS_CASE(12)
    ABACUS_CASE(13)
    ABACUS_CASE(14)
#undef ABACUS_CASE
    default:
      return;
  }
}

}  // namespace

void unpack_avx512(const TapPlan& plan, const WeightShape& shape, const std::uint8_t* packed,
                   void* blocks, std::int32_t* corrections) {
  auto* target = static_cast<std::uint8_t*>(blocks);
  if (plan.weight_bits <= 6) {
    unpack<6>(plan, shape, packed, target, corrections);
  } else if (plan.weight_bits == 7) {
    unpack<7>(plan, shape, packed, target, corrections);
  } else {
    unpack<8>(plan, shape, packed, target, corrections);
  }
}

template <TapKernel kernel>
void accumulate_avx512(const TapGeometry& geometry, int rows, const void* operands,
                       const void* blocks, const std::int32_t* corrections,
                       std::int32_t* accumulators) {
  const std::size_t pixel = static_cast<std::size_t>(geometry.channel_groups) * 8;
  const Strides strides{pixel * geometry.stride, static_cast<std::size_t>(geometry.operand_row()),
                        static_cast<std::size_t>(geometry.column_blocks) * 64,
                        static_cast<std::size_t>(geometry.column_blocks) * 8};
  const int steps = geometry.kernel * geometry.channel_groups;  // a kernel row is contiguous
  const int runs = (geometry.output_width + most_positions - 1) / most_positions;
  for (int row = 0; row < rows; ++row) {
    const std::uint8_t* row_operands =
        static_cast<const std::uint8_t*>(operands) + row * geometry.stride * strides.operand_row;
    std::int32_t* row_accumulators =
        accumulators + static_cast<std::size_t>(row) * geometry.output_width * strides.output;
    for (int run = 0; run < runs; ++run) {
      // Runs of nearly equal length.
      const int first = geometry.output_width * run / runs;
      const int positions = geometry.output_width * (run + 1) / runs - first;
      const std::uint8_t* window = row_operands + first * strides.position;
      std::int32_t* sums = row_accumulators + first * strides.output;
      int block = 0;
      for (; block + 2 <= geometry.column_blocks; block += 2) {
        accumulate_positions<kernel, 2>(
            positions, window, static_cast<const std::uint8_t*>(blocks) + block * 64,
            corrections + block * 8, geometry.kernel, steps, strides, sums + block * 8);
      }
      if (block < geometry.column_blocks) {
        accumulate_positions<kernel, 1>(
            positions, window, static_cast<const std::uint8_t*>(blocks) + block * 64,
            corrections + block * 8, geometry.kernel, steps, strides, sums + block * 8);
      }
    }
  }
}

template void accumulate_avx512<TapKernel::difference8>(const TapGeometry&, int, const void*,
                                                        const void*, const std::int32_t*,
                                                        std::int32_t*);
template void accumulate_avx512<TapKernel::product8>(const TapGeometry&, int, const void*,
                                                     const void*, const std::int32_t*,
                                                     std::int32_t*);

void sum_by_sign_avx512(const WeightShape& shape, const std::uint8_t* blocks,
                        std::int64_t* positive, std::int64_t* negative) {
  const __m512i zero = _mm512_setzero_si512();
  const int steps = shape.taps * shape.channel_groups();
  for (int block = 0; block < shape.column_blocks(); ++block) {
    const std::uint8_t* source = blocks + block * 64;
    __m512i above = zero;
    __m512i below = zero;
    for (int step = 0; step < steps; ++step) {
      const __m512i w = _mm512_load_si512(source);
      above = _mm512_add_epi64(above, _mm512_sad_epu8(_mm512_max_epi8(w, zero), zero));
      below = _mm512_add_epi64(
          below, _mm512_sad_epu8(_mm512_sub_epi8(zero, _mm512_min_epi8(w, zero)), zero));
      source += static_cast<std::size_t>(shape.column_blocks()) * 64;
    }
    const int left = shape.columns - block * 8;
    const __mmask8 columns = static_cast<__mmask8>(left >= 8 ? 0xFF : (1 << left) - 1);
    _mm512_mask_storeu_epi64(positive + block * 8, columns, above);
    _mm512_mask_storeu_epi64(negative + block * 8, columns, below);
  }
}

}  // namespace abacus::models::kernels

ABACUS_END_TARGET
#endif
