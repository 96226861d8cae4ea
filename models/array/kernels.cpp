#include "models/array/kernels.hpp"

#include <algorithm>
#include <cstdlib>

#include "models/array/kernels_targets.hpp"
#include "models/simd/dispatch.hpp"

namespace abacus::models {

namespace {

void plan_differences(const TapFormat& format, TapPlan& plan) {
  const int low = format.lowest_activation() * (1 << format.activation_shift);
  const int high = format.highest_activation() * (1 << format.activation_shift);
  const int fields = 1 << format.weight_bits;
  if (high - low > 255) {
    plan.kernel = TapKernel::difference16;
    for (int field = 0; field < fields; ++field) {
      plan.weight16[field] =
          static_cast<std::int16_t>(format.decode_weight(field) * (1 << format.weight_shift));
    }
    return;
  }
  plan.kernel = TapKernel::difference8;
  plan.zero = -low;
  for (int field = 0; field < fields; ++field) {
    const int weight = format.decode_weight(field) * (1 << format.weight_shift);
    const int clamped = std::clamp(weight, low, high);
    const int correction = std::abs(weight - clamped);
    plan.weight8[field] = static_cast<std::uint8_t>(clamped - low);
    plan.correction_low[field] = static_cast<std::uint8_t>(correction & 0xFF);
    plan.correction_high[field] = static_cast<std::uint8_t>(correction >> 8);
    plan.corrected |= correction != 0;
  }
}

void plan_products(const TapFormat& format, CpuTarget target, TapPlan& plan) {
  const int fields = 1 << format.weight_bits;
  if (target == CpuTarget::avx2 || format.highest_weight() > 127) {
    plan.kernel = TapKernel::product16;
    for (int field = 0; field < fields; ++field) {
      plan.weight16[field] = static_cast<std::int16_t>(format.decode_weight(field));
    }
    return;
  }
  plan.kernel = TapKernel::product8;
  for (int field = 0; field < fields; ++field) {
    plan.weight8[field] = static_cast<std::uint8_t>(format.decode_weight(field));
  }
  if (!format.activation_signed) return;
  // Σ a·w = Σ (a + zero)·w − zero·Σ w, and w = (w − lowest) + lowest.
  plan.zero = format.kind == hw::TapKind::sign_product ? 1 : 128;
  plan.corrected = true;
  plan.correction_scale = -plan.zero;
  plan.correction_base = -plan.zero * format.lowest_weight();
  for (int field = 0; field < fields; ++field) {
    plan.correction_low[field] =
        static_cast<std::uint8_t>(format.decode_weight(field) - format.lowest_weight());
    plan.correction_high[field] = 0;
  }
}

template <typename Weight>
void sum_by_sign(const WeightShape& shape, const Weight* blocks, std::int64_t* positive,
                 std::int64_t* negative) {
  std::fill_n(positive, shape.columns, 0);
  std::fill_n(negative, shape.columns, 0);
  const int row = shape.column_blocks() * 64;
  for (int step = 0; step < shape.taps * shape.channel_groups(); ++step) {
    for (int column = 0; column < shape.columns; ++column) {
      const Weight* weights = blocks + static_cast<std::size_t>(step) * row + column * 8;
      int above = 0;
      int below = 0;
      for (int i = 0; i < 8; ++i) {
        above += weights[i] > 0 ? weights[i] : 0;
        below += weights[i] < 0 ? -weights[i] : 0;
      }
      positive[column] += above;
      negative[column] += below;
    }
  }
}

void sum_bytes_by_sign(const WeightShape& shape, const std::uint8_t* blocks, std::int64_t* positive,
                       std::int64_t* negative) {
  sum_by_sign(shape, reinterpret_cast<const std::int8_t*>(blocks), positive, negative);
}
constexpr Dispatch sum_bytes{sum_bytes_by_sign, nullptr,
                             ABACUS_ON_X86(kernels::sum_by_sign_avx512)};

constexpr Dispatch unpack_bytes{kernels::unpack_portable, ABACUS_ON_X86(kernels::unpack_avx2),
                                ABACUS_ON_X86(kernels::unpack_avx512)};
constexpr Dispatch unpack_words{kernels::unpack_portable, ABACUS_ON_X86(kernels::unpack_avx2)};

constexpr Dispatch accumulate_difference8{
    kernels::accumulate_portable<TapKernel::difference8>,
    ABACUS_ON_X86(kernels::accumulate_avx2<TapKernel::difference8>),
    ABACUS_ON_X86(kernels::accumulate_avx512<TapKernel::difference8>)};
constexpr Dispatch accumulate_difference16{
    kernels::accumulate_portable<TapKernel::difference16>,
    ABACUS_ON_X86(kernels::accumulate_avx2<TapKernel::difference16>)};
constexpr Dispatch accumulate_product8{
    kernels::accumulate_portable<TapKernel::product8>, nullptr,
    ABACUS_ON_X86(kernels::accumulate_avx512<TapKernel::product8>)};
constexpr Dispatch accumulate_product16{
    kernels::accumulate_portable<TapKernel::product16>,
    ABACUS_ON_X86(kernels::accumulate_avx2<TapKernel::product16>)};

const auto& accumulate_of(TapKernel kernel) {
  switch (kernel) {
    case TapKernel::difference8:
      return accumulate_difference8;
    case TapKernel::difference16:
      return accumulate_difference16;
    case TapKernel::product8:
      return accumulate_product8;
    case TapKernel::product16:
      break;
  }
  return accumulate_product16;
}

}  // namespace

TapPlan plan_taps(const TapFormat& format, CpuTarget target) {
  TapPlan plan;
  plan.set_operands(format);
  if (format.kind == hw::TapKind::absolute_difference) {
    plan_differences(format, plan);
  } else {
    plan_products(format, target, plan);
  }
  plan.padding = format.padding() * (1 << format.activation_shift) + plan.zero;
  return plan;
}

void unpack_weights(CpuTarget target, const TapPlan& plan, const WeightShape& shape,
                    const std::uint8_t* packed, void* blocks, std::int32_t* corrections) {
  (plan.wide() ? unpack_words : unpack_bytes)[target](plan, shape, packed, blocks, corrections);
}

void accumulate(CpuTarget target, TapKernel kernel, const TapGeometry& geometry, int rows,
                const void* operands, const void* blocks, const std::int32_t* corrections,
                std::int32_t* accumulators) {
  accumulate_of(kernel)[target](geometry, rows, operands, blocks, corrections, accumulators);
}

void sum_by_sign(CpuTarget target, TapKernel kernel, const WeightShape& shape, const void* blocks,
                 std::int64_t* positive, std::int64_t* negative) {
  if (kernel == TapKernel::product16) {
    sum_by_sign(shape, static_cast<const std::int16_t*>(blocks), positive, negative);
    return;
  }
  sum_bytes[target](shape, static_cast<const std::uint8_t*>(blocks), positive, negative);
}

void unpack_plain(const TapFormat& format, const WeightShape& shape, const std::uint8_t* packed,
                  std::int16_t* weights) {
  const int bits = format.weight_bits;
  for (int tap = 0; tap < shape.taps; ++tap) {
    for (int channel = 0; channel < shape.channels; ++channel) {
      for (int column = 0; column < shape.columns; ++column) {
        const std::uint8_t* group =
            packed +
            (static_cast<std::size_t>(tap * shape.channel_groups() + channel / 8) * shape.columns +
             column) *
                bits;
        int field = 0;
        for (int bit = 0; bit < bits; ++bit) {
          const int position = channel % 8 * bits + bit;
          field |= (group[position / 8] >> (position % 8) & 1) << bit;
        }
        weights[(static_cast<std::size_t>(column) * shape.taps + tap) * shape.channels + channel] =
            static_cast<std::int16_t>(format.decode_weight(field));
      }
    }
  }
}

}  // namespace abacus::models
