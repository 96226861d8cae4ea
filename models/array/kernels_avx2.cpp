// AVX2: a 64-byte weight block is two halves of four columns; 16-bit operands take four quarters of
// two columns.
#include "models/array/kernels_targets.hpp"

#if defined(__x86_64__)
#include "models/simd/target_attributes.hpp"

ABACUS_BEGIN_AVX2

namespace abacus::models::kernels {
namespace {

// 16-bit operands, which need no corrections.
void unpack_words(const TapPlan& plan, const WeightShape& shape, const std::uint8_t* packed,
                  std::int16_t* blocks, std::int32_t* corrections) {
  const int bits = plan.weight_bits;
  const int groups = shape.channel_groups();
  const std::uint64_t fields = 0x0101010101010101u * ((1u << bits) - 1);
  const std::uint64_t last_fields =
      _bzhi_u64(fields, static_cast<unsigned>(8 * (shape.channels - (groups - 1) * 8)));
  const std::size_t blocks_row = static_cast<std::size_t>(shape.column_blocks()) * 64;
  // A weight is linear in its field: the values of 0 and 1, and what the top field's sign takes away.
  const auto step = static_cast<short>(plan.weight16[1] - plan.weight16[0]);
  const __m128i first = _mm_set1_epi16(plan.weight16[0]);
  const __m128i scale = _mm_set1_epi16(step);
  const __m128i sign = _mm_set1_epi16(
      plan.weight16[(1 << bits) - 1] < 0 ? static_cast<short>(1 << (bits - 1)) : short{0});
  const std::uint8_t* source = packed;
  for (int row = 0; row < shape.taps * groups; ++row) {
    const std::uint64_t mask = row % groups == groups - 1 ? last_fields : fields;
    std::int16_t* target = blocks + row * blocks_row;
    for (int column = 0; column < shape.columns; ++column) {
      std::uint64_t word = 0;
      for (int i = bits - 1; i >= 0; --i) word = word << 8 | source[i];
      source += bits;
      const __m128i found = _mm_cvtepu8_epi16(
          _mm_cvtsi64_si128(static_cast<long long>(_pdep_u64(word, fields) & mask)));
      const __m128i value = _mm_sub_epi16(_mm_xor_si128(found, sign), sign);
      _mm_store_si128(reinterpret_cast<__m128i*>(target + column * 8),
                      _mm_add_epi16(_mm_mullo_epi16(value, scale), first));
    }
  }
  for (int column = 0; column < shape.column_blocks() * 8; ++column) corrections[column] = 0;
}

// Looks 32 fields up in a table of 2^bits bytes, 16 entries at a time.
class ByteTable {
 public:
  ByteTable(const std::uint8_t* table, int bits) : parts_(bits <= 4 ? 1 : 1 << (bits - 4)) {
    for (int i = 0; i < parts_; ++i) {
      table_[i] = _mm256_broadcastsi128_si256(
          _mm_load_si128(reinterpret_cast<const __m128i*>(table + 16 * i)));
    }
  }
  __m256i operator()(__m256i fields) const {
    if (parts_ == 1) return _mm256_shuffle_epi8(table_[0], fields);
    __m256i found = _mm256_setzero_si256();
    for (int i = 0; i < parts_; ++i) {
      // Within the part 112 … 127, whose low four bits count; elsewhere the top bit, which gives 0.
      const __m256i index =
          _mm256_adds_epu8(_mm256_sub_epi8(fields, _mm256_set1_epi8(static_cast<char>(16 * i))),
                           _mm256_set1_epi8(112));
      found = _mm256_or_si256(found, _mm256_shuffle_epi8(table_[i], index));
    }
    return found;
  }

 private:
  int parts_;
  __m256i table_[16];
};

// Byte operands, four columns at a time.
void unpack_bytes(const TapPlan& plan, const WeightShape& shape, const std::uint8_t* packed,
                  std::uint8_t* blocks, std::int32_t* corrections) {
  const int bits = plan.weight_bits;
  const int groups = shape.channel_groups();
  const std::uint64_t fields = 0x0101010101010101u * ((1u << bits) - 1);
  const std::uint64_t last_fields =
      _bzhi_u64(fields, static_cast<unsigned>(8 * (shape.channels - (groups - 1) * 8)));
  const std::size_t packed_step = static_cast<std::size_t>(shape.columns) * bits;
  const std::size_t block_step = static_cast<std::size_t>(shape.column_blocks()) * 64;
  const ByteTable weights(plan.weight8, bits);
  const ByteTable low(plan.correction_low, bits);
  const ByteTable high(plan.correction_high, bits);
  const __m256i zero = _mm256_setzero_si256();
  const std::uint8_t* const end = packed + shape.packed_bytes(bits);
  const auto count = static_cast<unsigned>(8 * shape.taps * groups);

  for (int first = 0; first < shape.column_blocks() * 8; first += 4) {
    const int columns = shape.columns - first < 4 ? shape.columns - first : 4;
    const std::uint8_t* source = packed + static_cast<std::size_t>(first) * bits;
    std::uint8_t* target = blocks + first * 8;
    __m256i low_sums = zero;
    __m256i high_sums = zero;
    for (int tap = 0; tap < shape.taps; ++tap) {
      for (int group = 0; group < groups; ++group) {
        const std::uint64_t mask = group == groups - 1 ? last_fields : fields;
        alignas(32) std::uint64_t lanes[4] = {};
        for (int column = 0; column < columns; ++column) {
          const std::uint8_t* bytes = source + column * bits;
          std::uint64_t word = 0;
          if (end - bytes >= 8) {
            __builtin_memcpy(&word, bytes, 8);
          } else {
            for (int i = bits - 1; i >= 0; --i) word = word << 8 | bytes[i];
          }
          // Fields past the last channel: 0. Its upper bits are dropped by the deposit.
          lanes[column] = _pdep_u64(word, fields) & mask;
        }
        const __m256i found = _mm256_load_si256(reinterpret_cast<const __m256i*>(lanes));
        _mm256_store_si256(reinterpret_cast<__m256i*>(target), weights(found));
        if (plan.corrected) {
          low_sums = _mm256_add_epi64(low_sums, _mm256_sad_epu8(low(found), zero));
          high_sums = _mm256_add_epi64(high_sums, _mm256_sad_epu8(high(found), zero));
        }
        source += packed_step;
        target += block_step;
      }
    }
    alignas(32) std::uint64_t sums[4];
    _mm256_store_si256(reinterpret_cast<__m256i*>(sums),
                       _mm256_add_epi64(low_sums, _mm256_slli_epi64(high_sums, 8)));
    for (int column = 0; column < 4; ++column) {
      corrections[first + column] =
          plan.corrected
              ? static_cast<std::int32_t>(static_cast<unsigned>(sums[column]) *
                                              static_cast<unsigned>(plan.correction_scale) +
                                          static_cast<unsigned>(plan.correction_base) * count)
              : 0;
    }
  }
}

// What one vector holds for a kernel.
template <TapKernel kernel>
struct Vectors {
  using Element = std::int16_t;
  static constexpr int parts = 4;  // of a block
  static __m256i broadcast(const Element* activations) {
    return _mm256_broadcastsi128_si256(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(activations)));
  }
  static __m256i add_taps(__m256i sum, __m256i a, __m256i w) {
    if constexpr (kernel == TapKernel::product16) {
      return _mm256_add_epi32(sum, _mm256_madd_epi16(a, w));
    } else {
      const __m256i difference = _mm256_abs_epi16(_mm256_sub_epi16(a, w));
      return _mm256_add_epi32(sum, _mm256_madd_epi16(difference, _mm256_set1_epi16(1)));
    }
  }
  // Four partial sums a column.
  static void store(__m256i sum, const std::int32_t* corrections, std::int32_t* accumulators) {
    const __m256i pairs = _mm256_hadd_epi32(sum, sum);
    const __m256i columns = _mm256_hadd_epi32(pairs, pairs);
    const auto first = static_cast<unsigned>(_mm256_extract_epi32(columns, 0));
    const auto second = static_cast<unsigned>(_mm256_extract_epi32(columns, 4));
    accumulators[0] = static_cast<std::int32_t>(first + static_cast<unsigned>(corrections[0]));
    accumulators[1] = static_cast<std::int32_t>(second + static_cast<unsigned>(corrections[1]));
  }
};

template <>
struct Vectors<TapKernel::difference8> {
  using Element = std::uint8_t;
  static constexpr int parts = 2;
  static __m256i broadcast(const Element* activations) {
    long long channels;
    __builtin_memcpy(&channels, activations, sizeof channels);
    return _mm256_set1_epi64x(channels);
  }
  static __m256i add_taps(__m256i sum, __m256i a, __m256i w) {
    return _mm256_add_epi64(sum, _mm256_sad_epu8(a, w));
  }
  static void store(__m256i sum, const std::int32_t* corrections, std::int32_t* accumulators) {
    const __m256i low = _mm256_permutevar8x32_epi32(sum, _mm256_setr_epi32(0, 2, 4, 6, 0, 0, 0, 0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(accumulators),
                     _mm_add_epi32(_mm256_castsi256_si128(low),
                                   _mm_loadu_si128(reinterpret_cast<const __m128i*>(corrections))));
  }
};

template <TapKernel kernel, int positions>
inline void accumulate_block(const typename Vectors<kernel>::Element* operands,
                             const typename Vectors<kernel>::Element* weights,
                             const std::int32_t* corrections, const TapGeometry& geometry,
                             std::int32_t* accumulators) {
  using V = Vectors<kernel>;
  constexpr int columns = 8 / V::parts;  // of a vector
  const int steps = geometry.kernel * geometry.channel_groups;
  const std::size_t position_step =
      static_cast<std::size_t>(geometry.channel_groups) * 8 * geometry.stride;
  __m256i sums[positions][V::parts];
#pragma GCC unroll 8
  for (int p = 0; p < positions; ++p) {
#pragma GCC unroll 4
    for (int part = 0; part < V::parts; ++part) sums[p][part] = _mm256_setzero_si256();
  }
  for (int row = 0; row < geometry.kernel; ++row) {
    const auto* activations = operands + static_cast<std::size_t>(row) * geometry.operand_row();
    for (int step = 0; step < steps; ++step) {
#pragma GCC unroll 8
      for (int p = 0; p < positions; ++p) {
        const __m256i a = V::broadcast(activations + p * position_step);
#pragma GCC unroll 4
        for (int part = 0; part < V::parts; ++part) {
          const __m256i w =
              _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + part * (64 / V::parts)));
          sums[p][part] = V::add_taps(sums[p][part], a, w);
        }
      }
      activations += 8;
      weights += static_cast<std::size_t>(geometry.column_blocks) * 64;
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < positions; ++p) {
#pragma GCC unroll 4
    for (int part = 0; part < V::parts; ++part) {
      V::store(
          sums[p][part], corrections + part * columns,
          accumulators + static_cast<std::size_t>(p) * geometry.column_blocks * 8 + part * columns);
    }
  }
}

}  // namespace

void unpack_avx2(const TapPlan& plan, const WeightShape& shape, const std::uint8_t* packed,
                 void* blocks, std::int32_t* corrections) {
  if (plan.wide()) {
    unpack_words(plan, shape, packed, static_cast<std::int16_t*>(blocks), corrections);
  } else {
    unpack_bytes(plan, shape, packed, static_cast<std::uint8_t*>(blocks), corrections);
  }
}

template <TapKernel kernel>
void accumulate_avx2(const TapGeometry& geometry, int rows, const void* operands,
                     const void* blocks, const std::int32_t* corrections,
                     std::int32_t* accumulators) {
  using Element = typename Vectors<kernel>::Element;
  // 12 sums in 16 registers.
  constexpr int most_positions = 12 / Vectors<kernel>::parts;
  const std::size_t position_step =
      static_cast<std::size_t>(geometry.channel_groups) * 8 * geometry.stride;
  const std::size_t output_step = static_cast<std::size_t>(geometry.column_blocks) * 8;
  for (int row = 0; row < rows; ++row) {
    const Element* row_operands =
        static_cast<const Element*>(operands) +
        static_cast<std::size_t>(row) * geometry.stride * geometry.operand_row();
    std::int32_t* row_accumulators =
        accumulators + static_cast<std::size_t>(row) * geometry.output_width * output_step;
    for (int block = 0; block < geometry.column_blocks; ++block) {
      const Element* weights = static_cast<const Element*>(blocks) + block * 64;
      int x = 0;
      for (; x + most_positions <= geometry.output_width; x += most_positions) {
        accumulate_block<kernel, most_positions>(row_operands + x * position_step, weights,
                                                 corrections + block * 8, geometry,
                                                 row_accumulators + x * output_step + block * 8);
      }
      for (; x < geometry.output_width; ++x) {
        accumulate_block<kernel, 1>(row_operands + x * position_step, weights,
                                    corrections + block * 8, geometry,
                                    row_accumulators + x * output_step + block * 8);
      }
    }
  }
}

template void accumulate_avx2<TapKernel::difference8>(const TapGeometry&, int, const void*,
                                                      const void*, const std::int32_t*,
                                                      std::int32_t*);
template void accumulate_avx2<TapKernel::difference16>(const TapGeometry&, int, const void*,
                                                       const void*, const std::int32_t*,
                                                       std::int32_t*);
template void accumulate_avx2<TapKernel::product16>(const TapGeometry&, int, const void*,
                                                    const void*, const std::int32_t*,
                                                    std::int32_t*);

}  // namespace abacus::models::kernels

ABACUS_END_TARGET
#endif
