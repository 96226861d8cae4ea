// The element-wise work of fake quantization on an Nvidia GPU; what is computed, and each rounding,
// as in sw/quant/fake_quantization_kernels.hpp. All pointers are to the GPU's memory; the work is put
// on its default stream. Throws std::runtime_error when the GPU refuses; built without CUDA, always.
#pragma once

#include <cstdint>

namespace abacus {

// The integers lowest … highest times `step`.
struct CudaGrid {
  float lowest, highest, step;
};

void cuda_round_to_grid(const float* from, float* to, std::int64_t count, const CudaGrid& grid);
void cuda_read_to_grid(const float* stored, float* to, std::int64_t count, float inverse_scale,
                       float ratio, const CudaGrid& grid);
void cuda_mask_gradient(const float* x, const float* gradient, float* to, std::int64_t count,
                        const CudaGrid& grid);

}  // namespace abacus
