#include <cuda_runtime.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "sw/kernels/cuda/fake_quantization_cuda.hpp"

namespace abacus::kernels {
namespace {

constexpr int kThreads = 256;

// Element by element, in steps of the whole grid of threads. No product and sum is to be fused: the
// processor's kernels round both.
template <typename Work>
__global__ void for_each_kernel(std::int64_t count, Work work) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < count;
       i += step) {
    work(i);
  }
}

template <typename Work>
void for_each(std::int64_t count, const Work& work) {
  if (count == 0) return;
  constexpr std::int64_t most_blocks = 132 * 16;
  const int blocks = static_cast<int>(std::min((count + kThreads - 1) / kThreads, most_blocks));
  for_each_kernel<<<blocks, kThreads>>>(count, work);
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess) {
    throw std::runtime_error(std::string("fake quantization on the GPU: ") +
                             cudaGetErrorString(error));
  }
}

// NaN becomes the lowest.
__device__ float level(float value, const FakeGrid& grid) {
  const float clamped = fminf(value > grid.lowest ? value : grid.lowest, grid.highest);
  return floorf(__fadd_rn(clamped, 0.5F));
}

}  // namespace

void cuda_round_to_grid(const float* from, float* to, std::int64_t count, const FakeGrid& grid) {
  const float inverse = 1.0F / grid.step;
  for_each(count, [=] __device__(std::int64_t i) {
    to[i] = __fmul_rn(level(__fmul_rn(from[i], inverse), grid), grid.step);
  });
}

void cuda_read_to_grid(const float* stored, float* to, std::int64_t count, const FakeReader& reader,
                       const FakeGrid& grid) {
  for_each(count, [=] __device__(std::int64_t i) {
    const float integer = floorf(__fadd_rn(__fmul_rn(stored[i], reader.inverse_scale), 0.5F));
    to[i] = __fmul_rn(level(__fmul_rn(integer, reader.ratio), grid), grid.step);
  });
}

void cuda_mask_gradient(const float* x, const float* gradient, float* to, std::int64_t count,
                        const FakeGrid& grid) {
  // A hair of tolerance, so that the ends themselves are within whatever the product's rounding.
  const float slack = 1e-4F * grid.step;
  const float low = grid.lowest * grid.step - slack, high = grid.highest * grid.step + slack;
  for_each(count, [=] __device__(std::int64_t i) {
    to[i] = x[i] >= low && x[i] <= high ? gradient[i] : 0.0F;
  });
}

}  // namespace abacus::kernels
