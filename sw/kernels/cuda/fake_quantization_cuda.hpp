// fake_quantization_kernels.hpp's element-wise work on an Nvidia GPU: the same values, each rounding
// included. All pointers are to the GPU's memory; the work is put on its default stream. Throws
// std::runtime_error when the GPU refuses; built without CUDA, always.
#pragma once

#include <cstdint>

#include "sw/kernels/fake_quantization_kernels.hpp"

namespace abacus::kernels {

void cuda_round_to_grid(const float* from, float* to, std::int64_t count, const FakeGrid& grid);
void cuda_read_to_grid(const float* stored, float* to, std::int64_t count, const FakeReader& reader,
                       const FakeGrid& grid);
void cuda_mask_gradient(const float* x, const float* gradient, float* to, std::int64_t count,
                        const FakeGrid& grid);

}  // namespace abacus::kernels
