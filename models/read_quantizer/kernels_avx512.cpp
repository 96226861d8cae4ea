// AVX-512: 64 elements a step through a table of 256 bytes.
#include "models/read_quantizer/kernels_targets.hpp"
#include "models/simd/target_attributes.hpp"

#if defined(__x86_64__)
ABACUS_BEGIN_AVX512

namespace abacus::models::kernels {
namespace {

inline __mmask64 first_bytes(int count) {
  return count >= 64 ? ~0ull : _bzhi_u64(~0ull, static_cast<unsigned>(count));
}

template <bool copies>
class Table {
 public:
  explicit Table(const ReadPlan& plan) {
    for (int i = 0; i < 4; ++i) parts_[i] = _mm512_load_si512(plan.operand8 + 64 * i);
  }
  __m512i operator()(__m512i bytes) const {
    if constexpr (copies) {
      return bytes;
    } else {
      const __m512i low = _mm512_permutex2var_epi8(parts_[0], bytes, parts_[1]);
      const __m512i high = _mm512_permutex2var_epi8(parts_[2], bytes, parts_[3]);
      return _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), low, high);
    }
  }

 private:
  __m512i parts_[4];
};

template <bool copies>
inline void quantize_run(const ReadPlan& plan, const std::uint8_t* input, int count,
                         int padded_count, std::uint8_t* operands) {
  const Table<copies> table(plan);
  const __m512i zero = _mm512_set1_epi8(static_cast<char>(plan.zero));
  int i = 0;
  for (; i + 64 <= count; i += 64) {
    _mm512_storeu_si512(operands + i, table(_mm512_loadu_si512(input + i)));
  }
  if (i < padded_count) {
    const __mmask64 present = first_bytes(count - i);
    const __m512i bytes = table(_mm512_maskz_loadu_epi8(present, input + i));
    _mm512_mask_storeu_epi8(operands + i, first_bytes(padded_count - i),
                            _mm512_mask_blend_epi8(present, zero, bytes));
  }
}

template <bool copies>
inline void quantize_pixels(const ReadPlan& plan, const std::uint8_t* input, int pixels,
                            int channels, int padded_channels, std::uint8_t* operands) {
  const Table<copies> table(plan);
  const __m512i zero = _mm512_set1_epi8(static_cast<char>(plan.zero));
  const __mmask64 present = first_bytes(channels);
  const __mmask64 written = first_bytes(padded_channels);
  for (int pixel = 0; pixel < pixels; ++pixel) {
    const __m512i bytes = table(_mm512_maskz_loadu_epi8(present, input));
    _mm512_mask_storeu_epi8(operands, written, _mm512_mask_blend_epi8(present, zero, bytes));
    input += channels;
    operands += padded_channels;
  }
}

}  // namespace

int make_table_avx512(const ReadFormat& format, int activation_shift, int zero,
                      std::int16_t* operands) {
  return make_table(format, activation_shift, zero, operands);
}

void quantize_bytes_avx512(const ReadPlan& plan, const std::uint8_t* input, int count,
                           int padded_count, std::uint8_t* operands) {
  if (plan.copies) {
    quantize_run<true>(plan, input, count, padded_count, operands);
  } else {
    quantize_run<false>(plan, input, count, padded_count, operands);
  }
}

void quantize_pixels_avx512(const ReadPlan& plan, const std::uint8_t* input, int pixels,
                            int channels, int padded_channels, std::uint8_t* operands) {
  if (plan.copies) {
    quantize_pixels<true>(plan, input, pixels, channels, padded_channels, operands);
  } else {
    quantize_pixels<false>(plan, input, pixels, channels, padded_channels, operands);
  }
}

}  // namespace abacus::models::kernels

ABACUS_END_TARGET
#endif
