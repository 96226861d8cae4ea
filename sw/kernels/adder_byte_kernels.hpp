// One image of the adder operator on bytes with AVX-512 VNNI (vnni.hpp; adder_grid_kernels.cpp chooses).
#pragma once

#include <cstdint>
#include <vector>

#include "sw/kernels/adder_kernels.hpp"

namespace abacus::kernels {

// A vector holds 16 channels × 4 channels of the other side, one byte each.
constexpr int kByteLanes = 16;
constexpr int kByteGroup = 4;

// Weights as the forward kernel reads them: [16 output channels][ky][kx][4 input channels][lane]
// [byte], clamped to 0..255.
struct ForwardBytes {
  int blocks = 0;
  int groups = 0;
  std::size_t block_bytes = 0;
  std::vector<std::uint8_t> weights;
  std::vector<std::int32_t> sums;  // Σ of the clamped weights of each output channel
  std::vector<float> excess;       // Σ |w − clamped w|: adds to every output of the channel
  float unit = 1;
};

// Weights as the gradient kernel reads them: [16 input channels][ky][kx][4 output channels][lane]
// [byte]. Each input channel has a grid of its own, of `levels` steps to the clamp's 1: an
// activation x is level (x − low) · levels, a weight w is level (w − low + 1) · levels.
struct GradientBytes {
  int blocks = 0;
  int groups = 0;
  std::size_t block_bytes = 0;
  std::vector<std::uint8_t> weights;
  // By input channel, padded to whole blocks.
  std::vector<float> low, levels;
  float unit = 1;
};

struct ByteScratch {
  std::vector<std::uint32_t> planes;  // forward: activations; input gradient: upper bytes of dY
  std::vector<std::uint32_t> lower;   // lower bytes of dY
  std::vector<std::uint8_t> levels;   // activations: on the gradient's grids; by channel
  std::vector<std::int32_t> sums;
};

// All below only where vnni_supported().

// Rounds values · inverse_unit to the nearest (halves to even) and clamps to 0..255. The least and
// the largest value before clamping widen `least` and `largest`.
void bytes_from_floats(const float* values, std::int64_t count, float inverse_unit,
                       std::uint8_t* bytes, std::int32_t& least, std::int32_t& largest);
float largest_of_floats(const float* values, std::int64_t count);
void widen_byte_maxima(const std::uint8_t* pixels, std::int64_t count, int channels,
                       std::uint8_t* largest);

void forward_bytes_of_image(const AdderShape& shape, const ForwardBytes& packed,
                            const std::uint8_t* input, float* output, ByteScratch& scratch);
void gradient_bytes_of_image(const AdderShape& shape, const GradientBytes& packed,
                             const std::uint8_t* input, const float* output_gradient,
                             float* input_gradient, ByteScratch& scratch);

// Weight gradient sums of images that follow one another: [16 output channels][tap][lane], a tap
// being (input channel · kernel + ky) · kernel + kx, and one more tap for Σ dY.
std::size_t weight_gradient_elements(const AdderShape& shape);
// Images that weight_gradient_bytes takes at a time: enough positions to be worth its set-up.
std::int64_t weight_gradient_images(const AdderShape& shape);
// Adds Σ X · dY and Σ dY of `images` images, at most weight_gradient_images, to `sums`; X in
// units. dY is rounded to 16 bits of the largest of these images.
void weight_gradient_bytes(const AdderShape& shape, std::int64_t images, const std::uint8_t* input,
                           const float* output_gradient, float* sums, ByteScratch& scratch);

}  // namespace abacus::kernels
