// Batch normalization with what follows it in a residual network (an addition, a ReLU) in as few
// passes over the memory as there can be, spread over all OpenMP threads. Results do not depend on
// the number of threads.
//
// Activations are pixels × channels, dense: NHWC with batch, height and width taken together.
#pragma once

#include <cstdint>
#include <vector>

namespace abacus::kernels {

struct BatchNormShape {
  std::int64_t pixels = 0;
  int channels = 0;
};

struct BatchStatistics {
  std::vector<double> mean, variance;  // by channel; the variance is that of the batch (biased)
};

// Sums are taken of differences to a value of the channel: an adder's outputs have means many times
// their deviation.
BatchStatistics batch_statistics(const BatchNormShape& shape, const float* x);

// y = (x − mean) · scale + bias, + residual unless null, max(0, ·) if `relu`. May be in place.
void normalize(const BatchNormShape& shape, const float* x, const float* mean, const float* scale,
               const float* bias, const float* residual, bool relu, float* y);

struct GradientSums {
  std::vector<double> dy;    // Σ g
  std::vector<double> dy_x;  // Σ g · (x − mean)
};

// g is dY where y > 0 (everywhere if y is null): the gradient of what the ReLU reads. Written to
// `masked` unless null.
GradientSums gradient_sums(const BatchNormShape& shape, const float* x, const float* mean,
                           const float* dy, const float* y, float* masked);

// dx = factor · g + (x − mean) · slope + offset, by channel.
void normalization_gradient(const BatchNormShape& shape, const float* x, const float* mean,
                            const float* dy, const float* y, const float* factor,
                            const float* slope, const float* offset, float* dx);

}  // namespace abacus::kernels
