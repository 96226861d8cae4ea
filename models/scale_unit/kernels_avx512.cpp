// AVX-512: 16 columns a step, in one vector of 32-bit sums where none can leave 32 bits, else in
// two of 64 bits.
#include "models/scale_unit/kernels_targets.hpp"
#include "models/simd/target_attributes.hpp"

#if defined(__x86_64__)
ABACUS_BEGIN_AVX512

namespace abacus::models::kernels {
namespace {

struct Loader {  // residual bytes of the block's columns, in column order
  const ScalePlan::Block& block;
  bool contiguous;
  __m512i gather;
  __m128i operator()(const std::uint8_t* pixel) const {
    const std::uint8_t* window = pixel + block.first_channel;
    if (contiguous) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(window));
    const __m512i bytes = _mm512_maskz_loadu_epi8(block.present, window);
    return _mm512_castsi512_si128(_mm512_permutexvar_epi8(gather, bytes));
  }
};

struct Storer {
  const ScalePlan::Block& block;
  bool contiguous;
  __m512i place;
  void operator()(std::uint8_t* pixel, __m128i bytes) const {
    std::uint8_t* window = pixel + block.first_channel;
    if (contiguous) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(window), bytes);
    } else {
      _mm512_mask_storeu_epi8(window, block.present,
                              _mm512_permutexvar_epi8(place, _mm512_castsi128_si512(bytes)));
    }
  }
};

template <bool narrow, bool has_residual, bool contiguous, bool signed_residual>
void scale_positions(const ScalePlan& plan, int block_index, int positions,
                     const std::int32_t* accumulators, int accumulator_stride, std::uint8_t* output,
                     const std::uint8_t* residual) {
  const ScalePlan::Block& block = plan.blocks[static_cast<std::size_t>(block_index)];
  const ScaleFormat& format = plan.format;
  const int first = block_index * ScalePlan::block_columns;
  const Loader load{
      block, contiguous,
      _mm512_castsi128_si512(_mm_load_si128(reinterpret_cast<const __m128i*>(block.gather)))};
  const Storer store{block, contiguous, _mm512_load_si512(block.place)};
  const std::int32_t* sums = accumulators + first;
  const auto pixel_step = static_cast<std::size_t>(format.output_channels);
  // Columns of 8 are padded, not of 16: the last block's upper half may lie past the accumulators.
  const __mmask16 columns = _cvtu32_mask16(accumulator_stride - first >= 16 ? 0xFFFFu : 0xFFu);
  const __m128i shift = _mm_cvtsi32_si128(format.shift);
  const __m128i residual_shift = _mm_cvtsi32_si128(format.residual_shift);
  const __m512i multiplier = _mm512_loadu_si512(plan.multiplier.data() + first);

  if constexpr (narrow) {
    const __m512i bias = _mm512_loadu_si512(plan.narrow_bias.data() + first);
    const __m512i lowest = _mm512_set1_epi32(plan.lowest);
    const __m512i highest = _mm512_set1_epi32(plan.highest);
    const __m512i residual_factor =
        _mm512_sll_epi32(_mm512_set1_epi32(format.residual_multiplier), residual_shift);
    for (int position = 0; position < positions; ++position) {
      __m512i sum = _mm512_maskz_loadu_epi32(columns, sums);
      sum = _mm512_add_epi32(_mm512_mullo_epi32(sum, multiplier), bias);
      if constexpr (has_residual) {
        const __m128i bytes = load(residual);
        const __m512i r =
            signed_residual ? _mm512_cvtepi8_epi32(bytes) : _mm512_cvtepu8_epi32(bytes);
        sum = _mm512_add_epi32(sum, _mm512_mullo_epi32(r, residual_factor));
        residual += pixel_step;
      }
      sum = _mm512_sra_epi32(sum, shift);
      sum = _mm512_min_epi32(_mm512_max_epi32(sum, lowest), highest);
      store(output, _mm512_cvtepi32_epi8(sum));
      output += pixel_step;
      sums += accumulator_stride;
    }
  } else {
    const __m512i multiplier_low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(multiplier));
    const __m512i multiplier_high = _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(multiplier, 1));
    const __m512i bias_low = _mm512_loadu_si512(plan.bias.data() + first);
    const __m512i bias_high = _mm512_loadu_si512(plan.bias.data() + first + 8);
    const __m512i lowest = _mm512_set1_epi64(plan.lowest);
    const __m512i highest = _mm512_set1_epi64(plan.highest);
    const __m512i residual_multiplier = _mm512_set1_epi64(format.residual_multiplier);
    const auto finish = [&](__m512i sum) {
      sum = _mm512_sra_epi64(sum, shift);
      return _mm512_cvtepi64_epi8(_mm512_min_epi64(_mm512_max_epi64(sum, lowest), highest));
    };
    for (int position = 0; position < positions; ++position) {
      const __m512i sum = _mm512_maskz_loadu_epi32(columns, sums);
      __m512i low = _mm512_add_epi64(
          _mm512_mul_epi32(_mm512_cvtepi32_epi64(_mm512_castsi512_si256(sum)), multiplier_low),
          bias_low);
      __m512i high = _mm512_add_epi64(
          _mm512_mul_epi32(_mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(sum, 1)),
                           multiplier_high),
          bias_high);
      if constexpr (has_residual) {
        const __m128i bytes = load(residual);
        const __m128i upper = _mm_unpackhi_epi64(bytes, bytes);
        const __m512i r_low =
            signed_residual ? _mm512_cvtepi8_epi64(bytes) : _mm512_cvtepu8_epi64(bytes);
        const __m512i r_high =
            signed_residual ? _mm512_cvtepi8_epi64(upper) : _mm512_cvtepu8_epi64(upper);
        low = _mm512_add_epi64(
            low, _mm512_sll_epi64(_mm512_mul_epi32(r_low, residual_multiplier), residual_shift));
        high = _mm512_add_epi64(
            high, _mm512_sll_epi64(_mm512_mul_epi32(r_high, residual_multiplier), residual_shift));
        residual += pixel_step;
      }
      store(output, _mm_unpacklo_epi64(finish(low), finish(high)));
      output += pixel_step;
      sums += accumulator_stride;
    }
  }
}

template <bool narrow, bool has_residual, bool contiguous>
void choose_sign(const ScalePlan& plan, int block, int positions, const std::int32_t* accumulators,
                 int accumulator_stride, std::uint8_t* output, const std::uint8_t* residual) {
  if (has_residual && plan.format.residual.is_signed) {
    scale_positions<narrow, has_residual, contiguous, has_residual>(
        plan, block, positions, accumulators, accumulator_stride, output, residual);
  } else {
    scale_positions<narrow, has_residual, contiguous, false>(plan, block, positions, accumulators,
                                                             accumulator_stride, output, residual);
  }
}

template <bool narrow, bool has_residual>
void choose_placement(const ScalePlan& plan, int block, int positions,
                      const std::int32_t* accumulators, int accumulator_stride,
                      std::uint8_t* output, const std::uint8_t* residual) {
  if (plan.blocks[static_cast<std::size_t>(block)].placement == ScalePlan::Placement::contiguous) {
    choose_sign<narrow, has_residual, true>(plan, block, positions, accumulators,
                                            accumulator_stride, output, residual);
  } else {
    choose_sign<narrow, has_residual, false>(plan, block, positions, accumulators,
                                             accumulator_stride, output, residual);
  }
}

}  // namespace

void scale_block_avx512(const ScalePlan& plan, int block, int positions,
                        const std::int32_t* accumulators, int accumulator_stride,
                        std::uint8_t* output, const std::uint8_t* residual) {
  auto* run = plan.narrow ? (plan.format.has_residual ? choose_placement<true, true>
                                                      : choose_placement<true, false>)
                          : (plan.format.has_residual ? choose_placement<false, true>
                                                      : choose_placement<false, false>);
  run(plan, block, positions, accumulators, accumulator_stride, output, residual);
}

}  // namespace abacus::models::kernels

ABACUS_END_TARGET
#endif
