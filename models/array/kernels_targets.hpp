// The kernels of kernels.hpp for one instruction set each; only kernels.cpp chooses among them.
// Those with an instruction set's name exist on x86-64 alone.
#pragma once

#include "models/array/kernels.hpp"

namespace abacus::models::kernels {

void unpack_portable(const TapPlan& plan, const WeightShape& shape, const std::uint8_t* packed,
                     void* blocks, std::int32_t* corrections);
template <TapKernel kernel>
void accumulate_portable(const TapGeometry& geometry, int rows, const void* operands,
                         const void* blocks, const std::int32_t* corrections,
                         std::int32_t* accumulators);

void unpack_avx2(const TapPlan& plan, const WeightShape& shape, const std::uint8_t* packed,
                 void* blocks, std::int32_t* corrections);
// No product8: AVX2 has no exact unsigned × signed byte product.
template <TapKernel kernel>
void accumulate_avx2(const TapGeometry& geometry, int rows, const void* operands,
                     const void* blocks, const std::int32_t* corrections,
                     std::int32_t* accumulators);

// Byte operands only; the rare 16-bit ones take the AVX2 kernels.
void unpack_avx512(const TapPlan& plan, const WeightShape& shape, const std::uint8_t* packed,
                   void* blocks, std::int32_t* corrections);
template <TapKernel kernel>
void accumulate_avx512(const TapGeometry& geometry, int rows, const void* operands,
                       const void* blocks, const std::int32_t* corrections,
                       std::int32_t* accumulators);
// product8 only.
void sum_by_sign_avx512(const WeightShape& shape, const std::uint8_t* blocks,
                        std::int64_t* positive, std::int64_t* negative);

}  // namespace abacus::models::kernels
