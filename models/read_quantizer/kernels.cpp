#include "models/read_quantizer/kernels.hpp"

#include <algorithm>
#include <cstring>

#include "models/read_quantizer/kernels_targets.hpp"
#include "models/scale_unit/kernels.hpp"
#include "models/simd/dispatch.hpp"

namespace abacus::models {
namespace {

constexpr Dispatch make_table{kernels::make_table_portable, nullptr,
                              ABACUS_ON_X86(kernels::make_table_avx512)};
constexpr Dispatch quantize_bytes{kernels::quantize_bytes_portable, nullptr,
                                  ABACUS_ON_X86(kernels::quantize_bytes_avx512)};
using QuantizePixels = void(const ReadPlan&, const std::uint8_t*, int, int, int, std::uint8_t*);
constexpr Dispatch<QuantizePixels> quantize_pixels{nullptr, nullptr,
                                                   ABACUS_ON_X86(kernels::quantize_pixels_avx512)};

}  // namespace

int ReadFormat::quantize(std::int64_t v) const {
  if (sign) return v < 0 ? -1 : 1;
  return static_cast<int>(std::clamp(round_shift(v * multiplier, shift), std::int64_t{lowest()},
                                     std::int64_t{highest()}));
}

bool ReadFormat::identity() const {
  return !sign && multiplier == 1 && shift == 0 && abacus::models::lowest(stored) >= lowest() &&
         abacus::models::highest(stored) <= highest();
}

ReadPlan plan_read(const ReadFormat& format, const OperandLayout& layout, CpuTarget target) {
  ReadPlan plan;
  plan.format = format;
  plan.activation_shift = layout.activation_shift;
  plan.zero = layout.zero;
  plan.padding = layout.padding;
  plan.wide = layout.wide;
  if (element_bytes(format.stored) != 1) return plan;
  const int different =
      make_table[target](format, layout.activation_shift, layout.zero, plan.operand16);
  if (!plan.wide) {
    plan.copies = different == 0;
    for (int byte = 0; byte < 256; ++byte) {
      plan.operand8[byte] = static_cast<std::uint8_t>(plan.operand16[byte]);
    }
  }
  return plan;
}

namespace kernels {

int make_table_portable(const ReadFormat& format, int activation_shift, int zero,
                        std::int16_t* operands) {
  return make_table(format, activation_shift, zero, operands);
}

void quantize_bytes_portable(const ReadPlan& plan, const std::uint8_t* input, int count,
                             int padded_count, std::uint8_t* operands) {
  if (plan.copies) {
    std::memcpy(operands, input, static_cast<std::size_t>(count));
  } else {
    for (int i = 0; i < count; ++i) operands[i] = plan.operand8[input[i]];
  }
  std::memset(operands + count, plan.zero, static_cast<std::size_t>(padded_count - count));
}

}  // namespace kernels

namespace {

// Elements of 16 bits, or 16-bit operands.
template <typename Operand>
void quantize_elements(const ReadPlan& plan, const std::uint8_t* input, int count, int padded_count,
                       Operand* operands) {
  if (element_bytes(plan.format.stored) == 1) {
    for (int i = 0; i < count; ++i) operands[i] = static_cast<Operand>(plan.operand16[input[i]]);
  } else {
    for (int i = 0; i < count; ++i) {
      const int v = load_element(input, static_cast<std::size_t>(i), plan.format.stored);
      operands[i] =
          static_cast<Operand>(plan.format.quantize(v) * (1 << plan.activation_shift) + plan.zero);
    }
  }
  std::fill(operands + count, operands + padded_count, static_cast<Operand>(plan.zero));
}

struct Quantize {
  CpuTarget target;
  const ReadPlan& plan;

  void operator()(const std::uint8_t* input, int pixels, int channels, int padded_channels,
                  std::int16_t* operands) const {
    by_run(pixels, channels, padded_channels, [&](int pixel, int count, int padded_count) {
      quantize_elements(plan, input + offset(pixel, channels), count, padded_count,
                        operands + static_cast<std::size_t>(pixel) * padded_channels);
    });
  }
  void operator()(const std::uint8_t* input, int pixels, int channels, int padded_channels,
                  std::uint8_t* operands) const {
    if (element_bytes(plan.format.stored) != 1) {
      by_run(pixels, channels, padded_channels, [&](int pixel, int count, int padded_count) {
        quantize_elements(plan, input + offset(pixel, channels), count, padded_count,
                          operands + static_cast<std::size_t>(pixel) * padded_channels);
      });
      return;
    }
    auto* const by_pixel = quantize_pixels[target];
    if (by_pixel != nullptr && channels != padded_channels && channels <= 64) {
      by_pixel(plan, input, pixels, channels, padded_channels, operands);
      return;
    }
    auto* const run = quantize_bytes[target];
    by_run(pixels, channels, padded_channels, [&](int pixel, int count, int padded_count) {
      run(plan, input + offset(pixel, channels), count, padded_count,
          operands + static_cast<std::size_t>(pixel) * padded_channels);
    });
  }

 private:
  std::size_t offset(int pixel, int channels) const {
    return static_cast<std::size_t>(pixel) * channels * element_bytes(plan.format.stored);
  }
  // Neighbouring pixels are one run unless channels are padded.
  template <typename Run>
  static void by_run(int pixels, int channels, int padded_channels, const Run& run) {
    if (channels == padded_channels) {
      run(0, pixels * channels, pixels * channels);
    } else {
      for (int pixel = 0; pixel < pixels; ++pixel) run(pixel, channels, padded_channels);
    }
  }
};

// Padded positions from `begin` to `end`, whole pixels.
template <typename Operand>
void fill_padding(const ReadPlan& plan, int channels, int padded_channels, Operand* begin,
                  Operand* end) {
  std::fill(begin, end, static_cast<Operand>(plan.padding));
  if (plan.padding == plan.zero || channels == padded_channels) return;
  for (Operand* pixel = begin; pixel != end; pixel += padded_channels) {
    std::fill(pixel + channels, pixel + padded_channels, static_cast<Operand>(plan.zero));
  }
}

template <typename Operand>
void read_rows(const Quantize& quantize, const ReadTile& tile, const std::uint8_t* input,
               Operand* operands) {
  const int padded_channels = (tile.channels + 7) / 8 * 8;
  const std::size_t row_elements = static_cast<std::size_t>(tile.operand_width) * padded_channels;
  const std::size_t stored_row = static_cast<std::size_t>(tile.input_width) * tile.channels *
                                 element_bytes(quantize.plan.format.stored);
  const auto pad = [&](Operand* begin, Operand* end) {
    fill_padding(quantize.plan, tile.channels, padded_channels, begin, end);
  };
  const int left = std::min(tile.padding, tile.operand_width);
  const int inside = std::min(tile.input_width, tile.operand_width - left);
  for (int i = 0; i < tile.rows; ++i) {
    Operand* row = operands + static_cast<std::size_t>(i) * row_elements;
    const int y = tile.first_row + i;
    if (y < 0 || y >= tile.input_height) {
      pad(row, row + row_elements);
      continue;
    }
    Operand* begin = row + static_cast<std::size_t>(left) * padded_channels;
    Operand* end = begin + static_cast<std::size_t>(inside) * padded_channels;
    pad(row, begin);
    quantize(input + static_cast<std::size_t>(y - tile.first_stored_row) * stored_row, inside,
             tile.channels, padded_channels, begin);
    pad(end, row + row_elements);
  }
}

}  // namespace

void read_operands(CpuTarget target, const ReadPlan& plan, const ReadTile& tile,
                   const std::uint8_t* input, void* operands) {
  const Quantize quantize{target, plan};
  if (plan.wide) {
    read_rows(quantize, tile, input, static_cast<std::int16_t*>(operands));
  } else {
    read_rows(quantize, tile, input, static_cast<std::uint8_t*>(operands));
  }
}

}  // namespace abacus::models
