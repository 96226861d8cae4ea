// AVX2: 16 columns a step, as 32-bit sums where none can leave 32 bits, else as 64-bit ones.
#include "models/scale_unit/kernels_targets.hpp"
#include "models/simd/target_attributes.hpp"

#if defined(__x86_64__)
ABACUS_BEGIN_AVX2

namespace abacus::models::kernels {
namespace {

inline __m256i load_half(const std::int32_t* values) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values));
}

// Four 64-bit sums, shifted right and clamped, to four 32-bit results.
class WideFinish {
 public:
  explicit WideFinish(const ScalePlan& plan)
      : shift_(_mm_cvtsi32_si128(plan.format.shift)),
        lowest_(_mm256_set1_epi64x(plan.lowest)),
        highest_(_mm256_set1_epi64x(plan.highest)),
        offset_(_mm256_set1_epi64x(1ll << 60)),
        shifted_offset_(_mm256_set1_epi64x(1ll << (60 - plan.format.shift))) {}

  __m128i operator()(__m256i sum) const {
    // There is no arithmetic shift of 64 bits: sums are below 2^58, so an offset makes them
    // positive.
    __m256i value =
        _mm256_sub_epi64(_mm256_srl_epi64(_mm256_add_epi64(sum, offset_), shift_), shifted_offset_);
    value = _mm256_blendv_epi8(value, lowest_, _mm256_cmpgt_epi64(lowest_, value));
    value = _mm256_blendv_epi8(value, highest_, _mm256_cmpgt_epi64(value, highest_));
    return _mm256_castsi256_si128(
        _mm256_permutevar8x32_epi32(value, _mm256_setr_epi32(0, 2, 4, 6, 0, 0, 0, 0)));
  }

 private:
  __m128i shift_;
  __m256i lowest_, highest_, offset_, shifted_offset_;
};

// 16 results within a byte's range to 16 bytes.
inline __m128i pack(__m128i a, __m128i b, __m128i c, __m128i d) {
  const __m128i mask = _mm_set1_epi16(0xFF);
  return _mm_packus_epi16(_mm_and_si128(_mm_packs_epi32(a, b), mask),
                          _mm_and_si128(_mm_packs_epi32(c, d), mask));
}

template <bool signed_residual>
inline __m256i residual8(__m128i bytes) {
  return signed_residual ? _mm256_cvtepi8_epi32(bytes) : _mm256_cvtepu8_epi32(bytes);
}

template <bool narrow, bool has_residual, bool signed_residual>
void scale_positions(const ScalePlan& plan, int block_index, int positions,
                     const std::int32_t* accumulators, int accumulator_stride, std::uint8_t* output,
                     const std::uint8_t* residual) {
  const ScalePlan::Block& block = plan.blocks[static_cast<std::size_t>(block_index)];
  const ScaleFormat& format = plan.format;
  const int first = block_index * ScalePlan::block_columns;
  const int columns = plan.columns - first < ScalePlan::block_columns ? plan.columns - first
                                                                      : ScalePlan::block_columns;
  const std::uint16_t* channels = plan.channel.data() + first;
  const bool contiguous = block.placement == ScalePlan::Placement::contiguous;
  const std::int32_t* sums = accumulators + first;
  const auto pixel_step = static_cast<std::size_t>(format.output_channels);
  // Columns of 8 are padded, not of 16: the last block's upper half may lie past the accumulators.
  const bool upper = accumulator_stride - first >= ScalePlan::block_columns;
  const __m128i residual_shift = _mm_cvtsi32_si128(format.residual_shift);
  const __m256i multiplier_low = load_half(plan.multiplier.data() + first);
  const __m256i multiplier_high = load_half(plan.multiplier.data() + first + 8);
  alignas(16) std::uint8_t bytes[16] = {};

  for (int position = 0; position < positions; ++position) {
    const __m256i low = load_half(sums);
    const __m256i high = upper ? load_half(sums + 8) : _mm256_setzero_si256();
    __m128i r = _mm_setzero_si128();
    if constexpr (has_residual) {
      if (contiguous) {
        r = _mm_loadu_si128(reinterpret_cast<const __m128i*>(residual + channels[0]));
      } else {
        for (int i = 0; i < columns; ++i) bytes[i] = residual[channels[i]];
        r = _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
      }
      residual += pixel_step;
    }
    __m128i result;
    if constexpr (narrow) {
      const __m256i factor =
          _mm256_sll_epi32(_mm256_set1_epi32(format.residual_multiplier), residual_shift);
      const __m128i shift = _mm_cvtsi32_si128(format.shift);
      const auto finish = [&](__m256i sum, __m256i multiplier, int offset, __m128i residuals) {
        sum = _mm256_add_epi32(_mm256_mullo_epi32(sum, multiplier),
                               load_half(plan.narrow_bias.data() + first + offset));
        if constexpr (has_residual) {
          sum = _mm256_add_epi32(sum,
                                 _mm256_mullo_epi32(residual8<signed_residual>(residuals), factor));
        }
        sum = _mm256_sra_epi32(sum, shift);
        return _mm256_min_epi32(_mm256_max_epi32(sum, _mm256_set1_epi32(plan.lowest)),
                                _mm256_set1_epi32(plan.highest));
      };
      const __m256i a = finish(low, multiplier_low, 0, r);
      const __m256i b = finish(high, multiplier_high, 8, _mm_unpackhi_epi64(r, r));
      result = pack(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1),
                    _mm256_castsi256_si128(b), _mm256_extracti128_si256(b, 1));
    } else {
      const WideFinish finish(plan);
      const __m256i residual_multiplier = _mm256_set1_epi64x(format.residual_multiplier);
      const auto quarter = [&](__m128i sum, __m128i multiplier, int offset, __m128i residuals) {
        __m256i total = _mm256_add_epi64(
            _mm256_mul_epi32(_mm256_cvtepi32_epi64(sum), _mm256_cvtepi32_epi64(multiplier)),
            _mm256_loadu_si256(
                reinterpret_cast<const __m256i*>(plan.bias.data() + first + offset)));
        if constexpr (has_residual) {
          const __m256i wide =
              signed_residual ? _mm256_cvtepi8_epi64(residuals) : _mm256_cvtepu8_epi64(residuals);
          total = _mm256_add_epi64(
              total, _mm256_sll_epi64(_mm256_mul_epi32(wide, residual_multiplier), residual_shift));
        }
        return finish(total);
      };
      result =
          pack(quarter(_mm256_castsi256_si128(low), _mm256_castsi256_si128(multiplier_low), 0, r),
               quarter(_mm256_extracti128_si256(low, 1),
                       _mm256_extracti128_si256(multiplier_low, 1), 4, _mm_srli_si128(r, 4)),
               quarter(_mm256_castsi256_si128(high), _mm256_castsi256_si128(multiplier_high), 8,
                       _mm_srli_si128(r, 8)),
               quarter(_mm256_extracti128_si256(high, 1),
                       _mm256_extracti128_si256(multiplier_high, 1), 12, _mm_srli_si128(r, 12)));
    }
    if (contiguous) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(output + channels[0]), result);
    } else {
      _mm_store_si128(reinterpret_cast<__m128i*>(bytes), result);
      for (int i = 0; i < columns; ++i) output[channels[i]] = bytes[i];
    }
    output += pixel_step;
    sums += accumulator_stride;
  }
}

template <bool narrow>
void choose_residual(const ScalePlan& plan, int block, int positions,
                     const std::int32_t* accumulators, int accumulator_stride, std::uint8_t* output,
                     const std::uint8_t* residual) {
  auto* run = !plan.format.has_residual        ? scale_positions<narrow, false, false>
              : plan.format.residual.is_signed ? scale_positions<narrow, true, true>
                                               : scale_positions<narrow, true, false>;
  run(plan, block, positions, accumulators, accumulator_stride, output, residual);
}

}  // namespace

void scale_block_avx2(const ScalePlan& plan, int block, int positions,
                      const std::int32_t* accumulators, int accumulator_stride,
                      std::uint8_t* output, const std::uint8_t* residual) {
  auto* run = plan.narrow ? choose_residual<true> : choose_residual<false>;
  run(plan, block, positions, accumulators, accumulator_stride, output, residual);
}

}  // namespace abacus::models::kernels

ABACUS_END_TARGET
#endif
