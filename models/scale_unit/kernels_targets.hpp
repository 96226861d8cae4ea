// The scale unit's kernels for one instruction set each; only kernels.cpp chooses among them.
// Those with an instruction set's name exist on x86-64 alone.
#pragma once

#include "models/scale_unit/kernels.hpp"

namespace abacus::models::kernels {

void scale_block_portable(const ScalePlan& plan, int block, int positions,
                          const std::int32_t* accumulators, int accumulator_stride,
                          std::uint8_t* output, const std::uint8_t* residual);
// Byte elements.
void scale_block_avx2(const ScalePlan& plan, int block, int positions,
                      const std::int32_t* accumulators, int accumulator_stride,
                      std::uint8_t* output, const std::uint8_t* residual);
// Byte elements; placement contiguous or window.
void scale_block_avx512(const ScalePlan& plan, int block, int positions,
                        const std::int32_t* accumulators, int accumulator_stride,
                        std::uint8_t* output, const std::uint8_t* residual);

}  // namespace abacus::models::kernels
