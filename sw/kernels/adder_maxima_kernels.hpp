// Σ max(a, w) of an adder layer on 16-bit integers, at every position of an image:
// Σ |a − w| = 2 Σ max(a, w) − Σ a − Σ w, of which the last two are cheap.
#pragma once

#include <cstddef>
#include <cstdint>

namespace abacus::kernels {

// An image's operands, [channel][phase][row][column] with zeros around, so that a strided walk
// becomes a dense one: a pixel at (y, x) is at phase (y mod stride) · stride + x mod stride, row
// y div stride, column x div stride.
struct MaximaShape {
  int input_channels;
  int kernel, stride;
  int row;                     // operands between neighbouring rows of a phase
  std::int64_t phase;          // operands between phases of a channel
  std::int64_t channel;        // operands between channels
  int positions;               // of the output, rows `row` apart
  int taps_between_widenings;  // 16 bits hold so many maxima
};

// Vectors read and written past the last position stay within this many elements.
constexpr int maxima_slack = 128;
constexpr int maxima_channels_together = 4;

// Adds to `maxima` of 1 … maxima_channels_together output channels, `stride` apart. `weights`:
// channel × input channel × ky × kx.
void add_maxima(const MaximaShape& shape, int channels, const std::int16_t* planes,
                const std::int16_t* weights, std::int32_t* maxima, std::size_t stride);

}  // namespace abacus::kernels
