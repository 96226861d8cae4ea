#include "models/array/saturating_sum.hpp"

#include <cstddef>

namespace abacus::models {

std::int32_t accumulate_saturating(const SaturatingTile& tile, const void* operands,
                                   const std::int16_t* column_weights, std::int64_t& saturations) {
  const std::int64_t highest = (std::int64_t{1} << (tile.accumulator_bits - 1)) - 1;
  const std::int64_t lowest = -highest - 1;
  const int padded_channels = tile.geometry.channel_groups * 8;
  const auto activation = [&](int ky, int kx, int channel) {
    const std::size_t index = static_cast<std::size_t>(ky) * tile.geometry.operand_row() +
                              static_cast<std::size_t>(kx) * padded_channels + channel;
    const int operand = tile.wide ? static_cast<const std::int16_t*>(operands)[index]
                                  : static_cast<const std::uint8_t*>(operands)[index];
    // Exact: operand − zero is a multiple of 2^activation_shift.
    return (operand - tile.zero) >> tile.taps->format().activation_shift;
  };
  std::int64_t accumulator = 0;
  for (const hw::AccumulationStep& step : *tile.order) {
    std::int64_t sum = 0;
    int channel = step.first_tap % tile.channels;
    int kx = step.first_tap / tile.channels % tile.geometry.kernel;
    int ky = step.first_tap / tile.channels / tile.geometry.kernel;
    for (int tap = step.first_tap; tap < step.first_tap + step.taps; ++tap) {
      sum += (*tile.taps)(activation(ky, kx, channel), column_weights[tap]);
      if (++channel < tile.channels) continue;
      channel = 0;
      if (++kx < tile.geometry.kernel) continue;
      kx = 0;
      ++ky;
    }
    accumulator += sum;
    if (accumulator > highest || accumulator < lowest) {
      accumulator = accumulator > highest ? highest : lowest;
      ++saturations;
    }
  }
  return static_cast<std::int32_t>(accumulator);
}

}  // namespace abacus::models
