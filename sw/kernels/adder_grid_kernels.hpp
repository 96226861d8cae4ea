// The adder operator on eight-bit integers: exact sums, with AVX-512 VNNI where the processor has it; elsewhere
// the float32 kernels compute the same integers. benchmarks/train_epoch compares the two.
// Results do not depend on the number of threads, those of the forward kernel not on the path
// either.
//
// Layouts and shapes as in adder_kernels.hpp: activations NHWC, weights OIHW.
#pragma once

#include <cstdint>

#include "sw/kernels/adder_kernels.hpp"

namespace abacus::kernels {

enum class GridPath {
  fastest,  // that this processor has
  portable  // the float32 kernels of adder_kernels.hpp
};

// Whether GridPath::fastest is the byte-wise one.
bool has_byte_kernels();

// Largest |weight| on the grid: keeps all sums within 32 bits.
constexpr std::int32_t kLargestGridWeight = 1 << 20;
// Most taps of a window (input channels · kernel²), for the same reason.
constexpr int kMostGridTaps = 1 << 15;

// Levels found on the way to a grid, before clamping; 0 is always among them. NaN and what is out
// of all bounds count as the least integer.
struct GridRange {
  std::int32_t least = 0;
  std::int32_t largest = 0;
};

// levels[i] = values[i] / unit, rounded to the nearest (halves to even) and clamped to 0..255.
GridRange to_grid(const float* values, std::int64_t count, float unit, std::uint8_t* levels,
                  GridPath path = GridPath::fastest);
// The largest value, at least 0. NaN counts as 0.
float largest_value(const float* values, std::int64_t count, GridPath path = GridPath::fastest);

// Y = −unit · Σ |X − W|. X in 0..255, W any integer up to kLargestGridWeight in magnitude: where
// it lies outside of 0..255, |x − w| is linear in x, which the kernel makes use of.
void adder_grid_forward(const AdderShape& shape, const std::uint8_t* input,
                        const std::int32_t* weight, float unit, float* output,
                        GridPath path = GridPath::fastest);

// dX = Σ clamp(unit · (W − X), −1, 1) · dY over the outputs that X takes part in (AdderNet, eqs. 6
// and 7). The byte-wise path rounds the clamped difference to a fraction of 1 for each input
// channel, as fine as eight bits allow over the range where it is not yet clamped, and dY to 16
// bits for each image.
void adder_grid_input_gradient(const AdderShape& shape, const std::uint8_t* input,
                               const std::int32_t* weight, float unit, const float* output_gradient,
                               float* input_gradient, GridPath path = GridPath::fastest);

// dW = Σ unit · (X − W) · dY over the batch's outputs (AdderNet, eq. 5), OIHW. Rounds dY to 16 bits
// for every few images. Only where has_byte_kernels(): elsewhere it is an ordinary convolution's
// weight gradient that a library computes best.
void adder_grid_weight_gradient(const AdderShape& shape, const std::uint8_t* input,
                                const std::int32_t* weight, float unit,
                                const float* output_gradient, float* weight_gradient);

}  // namespace abacus::kernels
