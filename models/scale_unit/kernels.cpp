#include "models/scale_unit/kernels.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "models/scale_unit/kernels_targets.hpp"
#include "models/simd/dispatch.hpp"

namespace abacus::models {

int load_element(const std::uint8_t* tensor, std::size_t index, hw::ElementFormat format) {
  if (format.bits <= 8) {
    return format.is_signed ? static_cast<std::int8_t>(tensor[index]) : tensor[index];
  }
  const int word = tensor[2 * index] | tensor[2 * index + 1] << 8;
  return format.is_signed ? static_cast<std::int16_t>(word) : word;
}

void store_element(std::uint8_t* tensor, std::size_t index, hw::ElementFormat format, int value) {
  if (format.bits <= 8) {
    tensor[index] = static_cast<std::uint8_t>(value);
  } else {
    tensor[2 * index] = static_cast<std::uint8_t>(value & 0xFF);
    tensor[2 * index + 1] = static_cast<std::uint8_t>(value >> 8 & 0xFF);
  }
}

namespace {

void place_columns(const std::vector<std::uint16_t>& channels, int first, int columns,
                   ScalePlan::Block& block) {
  const auto begin = channels.begin() + first;
  const auto [low, high] = std::minmax_element(begin, begin + columns);
  block.first_channel = *low;
  block.present = 0;
  if (*high - *low >= 64) {
    block.placement = ScalePlan::Placement::scattered;
    return;
  }
  bool contiguous = columns == ScalePlan::block_columns;
  std::memset(block.gather, 0, sizeof block.gather);
  for (int i = 0; i < columns; ++i) {
    const int offset = begin[i] - *low;
    contiguous = contiguous && offset == i;
    block.place[offset] = static_cast<std::uint8_t>(i);
    block.gather[i] = static_cast<std::uint8_t>(offset);
    block.present |= std::uint64_t{1} << offset;
  }
  block.placement = contiguous ? ScalePlan::Placement::contiguous : ScalePlan::Placement::window;
}

}  // namespace

void ScalePlan::prepare(const ScaleFormat& new_format, const std::uint8_t* records, int new_columns,
                        std::int64_t largest_accumulator) {
  format = new_format;
  columns = new_columns;
  lowest = format.relu ? std::max(abacus::models::lowest(format.output), 0)
                       : abacus::models::lowest(format.output);
  highest = abacus::models::highest(format.output);
  const int block_count = (columns + block_columns - 1) / block_columns;
  const auto padded = static_cast<std::size_t>(block_count * block_columns);
  if (bias.size() < padded) {
    bias.resize(padded);
    multiplier.resize(padded);
    narrow_bias.resize(padded);
    channel.resize(padded);
    blocks.resize(static_cast<std::size_t>(block_count));
  }
  const std::int64_t rounding = format.shift == 0 ? 0 : std::int64_t{1} << (format.shift - 1);
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < padded; ++i) {
    hw::ScaleRecord record{};
    if (i < static_cast<std::size_t>(columns)) {
      std::memcpy(&record, records + i * sizeof record, sizeof record);
      bias[i] = record.bias + rounding;
      largest =
          std::max(largest, std::abs(bias[i]) +
                                largest_accumulator * std::abs(std::int64_t{record.multiplier}));
    } else {
      bias[i] = 0;
    }
    multiplier[i] = record.multiplier;
    narrow_bias[i] = static_cast<std::int32_t>(bias[i]);
    channel[i] = record.output_channel;
  }
  if (format.has_residual) {
    // A stored byte may hold any value of a byte, whatever the format's bits.
    largest += (std::int64_t{format.residual_multiplier} *
                (element_bytes(format.residual) == 1 ? 255 : 65535))
               << format.residual_shift;
  }
  narrow = largest < (std::int64_t{1} << 31) && format.shift < 32;
  for (int i = 0; i < block_count; ++i) {
    const int first = i * block_columns;
    place_columns(channel, first, std::min(columns - first, block_columns),
                  blocks[static_cast<std::size_t>(i)]);
  }
}

namespace kernels {

void scale_block_portable(const ScalePlan& plan, int block, int positions,
                          const std::int32_t* accumulators, int accumulator_stride,
                          std::uint8_t* output, const std::uint8_t* residual) {
  const ScaleFormat& format = plan.format;
  const int first = block * ScalePlan::block_columns;
  const int end = std::min(first + ScalePlan::block_columns, plan.columns);
  const auto lowest = std::int64_t{plan.lowest};
  const auto highest = std::int64_t{plan.highest};
  for (int position = 0; position < positions; ++position) {
    const std::size_t pixel = static_cast<std::size_t>(position) * format.output_channels;
    const std::int32_t* sums =
        accumulators + static_cast<std::size_t>(position) * accumulator_stride;
    for (int column = first; column < end; ++column) {
      const auto i = static_cast<std::size_t>(column);
      std::int64_t product = std::int64_t{sums[column]} * plan.multiplier[i] + plan.bias[i];
      if (format.has_residual) {
        const std::int64_t r = load_element(residual, pixel + plan.channel[i], format.residual);
        product += r * format.residual_multiplier * (std::int64_t{1} << format.residual_shift);
      }
      const std::int64_t rounded = product >> format.shift;
      store_element(output, pixel + plan.channel[i], format.output,
                    static_cast<int>(std::clamp(rounded, lowest, highest)));
    }
  }
}

}  // namespace kernels

namespace {

constexpr Dispatch scale_words{kernels::scale_block_portable};
constexpr Dispatch scale_scattered_bytes{kernels::scale_block_portable,
                                         ABACUS_ON_X86(kernels::scale_block_avx2)};
constexpr Dispatch scale_bytes{kernels::scale_block_portable,
                               ABACUS_ON_X86(kernels::scale_block_avx2),
                               ABACUS_ON_X86(kernels::scale_block_avx512)};

}  // namespace

void scale(CpuTarget target, const ScalePlan& plan, int positions, const std::int32_t* accumulators,
           int accumulator_stride, std::uint8_t* output, const std::uint8_t* residual) {
  const int blocks = (plan.columns + ScalePlan::block_columns - 1) / ScalePlan::block_columns;
  const bool bytes = element_bytes(plan.format.output) == 1 &&
                     (!plan.format.has_residual || element_bytes(plan.format.residual) == 1);
  for (int block = 0; block < blocks; ++block) {
    const bool scattered =
        plan.blocks[static_cast<std::size_t>(block)].placement == ScalePlan::Placement::scattered;
    const auto& kernel = !bytes ? scale_words : scattered ? scale_scattered_bytes : scale_bytes;
    kernel[target](plan, block, positions, accumulators, accumulator_stride, output, residual);
  }
}

}  // namespace abacus::models
