#include <cstring>

#include "models/array/kernels_targets.hpp"

namespace abacus::models::kernels {
namespace {

template <TapKernel kernel>
struct Operand {
  using Activation = std::uint8_t;
  using Weight = std::uint8_t;
};
template <>
struct Operand<TapKernel::product8> {
  using Activation = std::uint8_t;
  using Weight = std::int8_t;
};
template <>
struct Operand<TapKernel::difference16> {
  using Activation = std::int16_t;
  using Weight = std::int16_t;
};
template <>
struct Operand<TapKernel::product16> : Operand<TapKernel::difference16> {};

template <typename T>
void unpack(const TapPlan& plan, const T* table, const WeightShape& shape,
            const std::uint8_t* packed, T* blocks, std::int32_t* corrections) {
  const int bits = plan.weight_bits;
  const int groups = shape.channel_groups();
  const std::uint64_t field_mask = (1u << bits) - 1;
  const int blocks_row = shape.column_blocks() * 64;
  for (int column = 0; column < shape.columns; ++column) {
    std::int64_t sum = 0;
    for (int tap = 0; tap < shape.taps; ++tap) {
      for (int group = 0; group < groups; ++group) {
        const std::size_t index = static_cast<std::size_t>(tap * groups + group);
        const std::uint8_t* source = packed + (index * shape.columns + column) * bits;
        std::uint64_t word = packed_word(source, bits);
        if (group == groups - 1 && shape.channels % 8 != 0) {
          word &= (std::uint64_t{1} << shape.channels % 8 * bits) - 1;
        }
        T* target = blocks + index * blocks_row + column * 8;
        for (int i = 0; i < 8; ++i) {
          const auto field = static_cast<std::size_t>(word >> i * bits & field_mask);
          target[i] = table[field];
          if (plan.corrected) sum += plan.correction_low[field] + 256 * plan.correction_high[field];
        }
      }
    }
    const std::int64_t fields = std::int64_t{8} * shape.taps * groups;
    corrections[column] =
        plan.corrected
            ? static_cast<std::int32_t>(plan.correction_scale * sum + plan.correction_base * fields)
            : 0;
  }
  for (int column = shape.columns; column < shape.column_blocks() * 8; ++column) {
    corrections[column] = 0;
  }
}

}  // namespace

void unpack_portable(const TapPlan& plan, const WeightShape& shape, const std::uint8_t* packed,
                     void* blocks, std::int32_t* corrections) {
  if (plan.wide()) {
    unpack(plan, plan.weight16, shape, packed, static_cast<std::int16_t*>(blocks), corrections);
  } else {
    unpack(plan, plan.weight8, shape, packed, static_cast<std::uint8_t*>(blocks), corrections);
  }
}

template <TapKernel kernel>
void accumulate_portable(const TapGeometry& geometry, int rows, const void* operands,
                         const void* blocks, const std::int32_t* corrections,
                         std::int32_t* accumulators) {
  using Activation = typename Operand<kernel>::Activation;
  using Weight = typename Operand<kernel>::Weight;
  const auto* all_activations = static_cast<const Activation*>(operands);
  const int padded_channels = geometry.channel_groups * 8;
  const int steps = geometry.kernel * geometry.channel_groups;  // a kernel row is contiguous
  for (int row = 0; row < rows; ++row) {
    for (int x = 0; x < geometry.output_width; ++x) {
      const Activation* window =
          all_activations +
          static_cast<std::size_t>(row) * geometry.stride * geometry.operand_row() +
          static_cast<std::size_t>(x) * geometry.stride * padded_channels;
      for (int block = 0; block < geometry.column_blocks; ++block) {
        std::uint32_t sums[8] = {};
        const Weight* weights = static_cast<const Weight*>(blocks) + block * 64;
        for (int ky = 0; ky < geometry.kernel; ++ky) {
          const Activation* activations =
              window + static_cast<std::size_t>(ky) * geometry.operand_row();
          for (int step = 0; step < steps; ++step) {
            for (int column = 0; column < 8; ++column) {
              for (int i = 0; i < 8; ++i) {
                const int a = activations[i];
                const int w = weights[column * 8 + i];
                if constexpr (kernel == TapKernel::product8 || kernel == TapKernel::product16) {
                  sums[column] += static_cast<std::uint32_t>(a * w);
                } else {
                  sums[column] += static_cast<std::uint32_t>(a > w ? a - w : w - a);
                }
              }
            }
            activations += 8;
            weights += geometry.column_blocks * 64;
          }
        }
        for (int column = 0; column < 8; ++column) {
          *accumulators++ = static_cast<std::int32_t>(
              sums[column] + static_cast<std::uint32_t>(corrections[block * 8 + column]));
        }
      }
    }
  }
}

template void accumulate_portable<TapKernel::difference8>(const TapGeometry&, int, const void*,
                                                          const void*, const std::int32_t*,
                                                          std::int32_t*);
template void accumulate_portable<TapKernel::difference16>(const TapGeometry&, int, const void*,
                                                           const void*, const std::int32_t*,
                                                           std::int32_t*);
template void accumulate_portable<TapKernel::product8>(const TapGeometry&, int, const void*,
                                                       const void*, const std::int32_t*,
                                                       std::int32_t*);
template void accumulate_portable<TapKernel::product16>(const TapGeometry&, int, const void*,
                                                        const void*, const std::int32_t*,
                                                        std::int32_t*);

}  // namespace abacus::models::kernels
