// The element-wise work of fake quantization, on plain arrays: vectors of whatever width the processor
// has (Google Highway). Element by element the results do not depend on it.
#pragma once

#include <cstdint>

namespace abacus::kernels {

// The integers lowest … highest times `step`.
struct FakeGrid {
  float lowest, highest;  // integers
  float step;
};

// How a stored value becomes an operand: ⌊stored · inverse_scale + ½⌋ · ratio, rounded and clamped.
struct FakeReader {
  float inverse_scale;  // 1 / the stored tensor's scale
  float ratio;          // the read quantizer's multiplier / 2^shift
};

// A bfloat16: the upper half of a float's bits.
using Bfloat16Bits = std::uint16_t;

// to = step · clamp(⌊from / step + ½⌋); NaN becomes the lowest.
void round_to_grid(const float* from, float* to, std::int64_t count, const FakeGrid& grid);

// The stored integer is recovered first, so that a product on the border between two operands rounds
// as the hardware does.
void read_to_grid(const float* stored, float* to, std::int64_t count, const FakeReader& reader,
                  const FakeGrid& grid);
// The same, rounded to bfloat16, ties to even.
void read_to_grid(const float* stored, Bfloat16Bits* to, std::int64_t count,
                  const FakeReader& reader, const FakeGrid& grid);

// to = gradient where x lies between the grid's ends, else 0.
void mask_gradient(const float* x, const float* gradient, float* to, std::int64_t count,
                   const FakeGrid& grid);
void mask_gradient(const float* x, const Bfloat16Bits* gradient, float* to, std::int64_t count,
                   const FakeGrid& grid);

// Σ gradient · ∂x̂/∂step of read_to_grid(), added up in double precision.
double read_step_gradient(const float* stored, const float* gradient, std::int64_t count,
                          const FakeReader& reader, const FakeGrid& grid);
double read_step_gradient(const float* stored, const Bfloat16Bits* gradient, std::int64_t count,
                          const FakeReader& reader, const FakeGrid& grid);

// The part of it that lies beyond the grid's ends: Σ gradient · end.
double end_step_gradient(const float* x, const float* gradient, std::int64_t count,
                         const FakeGrid& grid);
double end_step_gradient(const float* x, const Bfloat16Bits* gradient, std::int64_t count,
                         const FakeGrid& grid);

// sums[c] = Σ ⌊stored · inverse_scale + ½⌋ over the pixels, `stored` being pixels × channels. The
// integers are of at most 16 bits.
void sum_integers(const float* stored, std::int64_t pixels, std::int64_t channels,
                  float inverse_scale, std::int64_t* sums);

}  // namespace abacus::kernels
