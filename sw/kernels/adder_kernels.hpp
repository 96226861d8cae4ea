// The adder operator's float32 kernels: forward and input gradient, vectorised (Google Highway
// picks AVX-512, AVX2 or the baseline when the program runs) and spread over all OpenMP threads.
// Results do not depend on the number of threads: each image is computed by one thread alone.
//
// Activations are NHWC (batch × height × width × channels, torch's channels-last memory format),
// weights are OIHW (output channel × input channel × ky × kx), all dense.
#pragma once

#include <cstdint>

namespace abacus::kernels {

// Sizes of one adder layer on a batch.
struct AdderShape {
  std::int64_t batch = 0;
  int input_channels = 0;
  int input_height = 0;
  int input_width = 0;
  int output_channels = 0;
  int kernel = 1;  // square
  int stride = 1;
  int padding = 0;  // zeros; a padded tap adds |w|

  int output_height() const { return (input_height + 2 * padding - kernel) / stride + 1; }
  int output_width() const { return (input_width + 2 * padding - kernel) / stride + 1; }
  std::int64_t taps() const {
    return batch * output_channels * output_height() * output_width() * input_channels * kernel *
           kernel;
  }
};

// Y = −Σ |X − W| over the taps (AdderNet, CVPR 2020, eq. 2), computed as ΣX + ΣW − 2 Σ max(X, W),
// which needs two vector operations a tap. The rounding error is that of float sums over the taps'
// |x| + |w|.
void adder_forward(const AdderShape& shape, const float* input, const float* weight, float* output);

// dX = Σ clamp(W − X, −1, 1) · dY over the outputs that X takes part in (AdderNet, eqs. 6, 7).
void adder_input_gradient(const AdderShape& shape, const float* input, const float* weight,
                          const float* output_gradient, float* input_gradient);

}  // namespace abacus::kernels
