// The read quantizer's inner loops for one instruction set each; only kernels.cpp chooses among
// them. Those with an instruction set's name exist on x86-64 alone.
#pragma once

#include "models/read_quantizer/kernels.hpp"

namespace abacus::models::kernels {

// The operand of each stored byte. Shared text, compiled for each instruction set.
inline __attribute__((always_inline)) int make_table(const ReadFormat& format, int activation_shift,
                                                     int zero, std::int16_t* operands) {
  // 32 bits suffice: 255 × 65535 + 2^30.
  const int rounding = format.shift == 0 ? 0 : 1 << (format.shift - 1);
  const int shift = format.shift;
  const int multiplier = format.multiplier;
  const int low = format.activation_signed ? -(1 << (format.activation_bits - 1)) : 0;
  const int high = format.activation_signed ? (1 << (format.activation_bits - 1)) - 1
                                            : (1 << format.activation_bits) - 1;
  const int wrap = format.stored.is_signed ? 256 : 0;
  int different = 0;  // from the byte itself
  if (format.sign) {
    for (int byte = 0; byte < 256; ++byte) {
      const int operand = (format.stored.is_signed && byte >= 128 ? -1 : 1) + zero;
      operands[byte] = static_cast<std::int16_t>(operand);
      different |= operand ^ byte;
    }
    return different;
  }
  for (int byte = 0; byte < 256; ++byte) {
    const int v = byte < 128 ? byte : byte - wrap;
    const int rounded = (v * multiplier + rounding) >> shift;
    const int a = rounded < low ? low : rounded > high ? high : rounded;
    const int operand = a * (1 << activation_shift) + zero;
    operands[byte] = static_cast<std::int16_t>(operand);
    different |= operand ^ byte;
  }
  return different;
}

// Returns 0 if every operand equals its byte.
int make_table_portable(const ReadFormat& format, int activation_shift, int zero,
                        std::int16_t* operands);

// Quantizes `count` stored bytes to byte operands and appends plan.zero up to `padded_count`.
void quantize_bytes_portable(const ReadPlan& plan, const std::uint8_t* input, int count,
                             int padded_count, std::uint8_t* operands);
int make_table_avx512(const ReadFormat& format, int activation_shift, int zero,
                      std::int16_t* operands);
void quantize_bytes_avx512(const ReadPlan& plan, const std::uint8_t* input, int count,
                           int padded_count, std::uint8_t* operands);
// Pixel after pixel, `channels` ≤ 64 each; `padded_channels` operands a pixel.
void quantize_pixels_avx512(const ReadPlan& plan, const std::uint8_t* input, int pixels,
                            int channels, int padded_channels, std::uint8_t* operands);

}  // namespace abacus::models::kernels
