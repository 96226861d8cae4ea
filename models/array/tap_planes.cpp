#include "models/array/tap_planes.hpp"

#include <algorithm>
#include <cstdlib>

#include "models/elements/processing_element.hpp"

namespace abacus::models {

TapPlanes::TapPlanes(const TapFormat& format) {
  const ProcessingElement& element = processing_element(format.kind);
  const int low = format.lowest_activation();
  const int high = format.highest_activation();
  const auto byte = [](int value) {
    return static_cast<std::size_t>(static_cast<std::uint8_t>(value));
  };
  weights_.emplace_back();
  operands_.emplace_back();
  for (int a = low; a <= high; ++a) operands_[0][byte(a)] = static_cast<std::int16_t>(a);

  for (int field = 0; field < 1 << format.weight_bits; ++field) {
    const int code = format.decode_weight(field);
    const int sign = code < 0 ? -1 : 1;
    constexpr int sample = 128;
    const int multiple = element.tap(format, sample, std::abs(code)) / sample;
    std::array<std::int16_t, 256> rest{};
    for (int a = low; a <= high; ++a) {
      const int tap = element.tap(format, a, code);
      rest[byte(a)] = static_cast<std::int16_t>(sign * tap - multiple * a);
      const auto at = static_cast<std::size_t>(field);
      bounds_[at] = std::max(bounds_[at], std::abs(tap));
    }
    weights_[0][static_cast<std::size_t>(field)] = static_cast<std::int16_t>(sign * multiple);
    if (std::all_of(rest.begin(), rest.end(), [](std::int16_t r) { return r == 0; })) continue;
    const auto found = std::find(operands_.begin() + 1, operands_.end(), rest);
    const auto plane = static_cast<std::size_t>(found - operands_.begin());
    if (found == operands_.end()) {
      operands_.push_back(rest);
      weights_.emplace_back();
    }
    weights_[plane][static_cast<std::size_t>(field)] = static_cast<std::int16_t>(sign);
  }
}

void unpack_planes(const TapPlanes& taps, int weight_bits, const WeightShape& shape,
                   const std::uint8_t* packed, std::int16_t* blocks, std::int64_t* bounds) {
  const int groups = shape.channel_groups();
  const std::uint64_t field_mask = (1u << weight_bits) - 1;
  const std::size_t group_elements = static_cast<std::size_t>(shape.column_blocks()) * 64;
  const std::size_t plane_elements = group_elements * groups;
  std::fill_n(bounds, shape.columns, 0);
  for (int tap = 0; tap < shape.taps; ++tap) {
    for (int group = 0; group < groups; ++group) {
      const int channels = std::min(8, shape.channels - group * 8);
      for (int column = 0; column < shape.columns; ++column) {
        const std::size_t index = static_cast<std::size_t>(tap * groups + group);
        const std::uint8_t* source = packed + (index * shape.columns + column) * weight_bits;
        std::uint64_t word = 0;
        for (int i = weight_bits - 1; i >= 0; --i) word = word << 8 | source[i];
        std::int16_t* target =
            blocks + plane_elements * taps.planes() * tap + group_elements * group + column * 8;
        for (int i = 0; i < 8; ++i) {
          // Channels past the last: 0, whatever stands there.
          const bool weight = i < channels;
          const int field = static_cast<int>(word >> i * weight_bits & field_mask);
          for (int plane = 0; plane < taps.planes(); ++plane) {
            target[plane_elements * plane + i] =
                weight ? taps.weight(plane, field) : std::int16_t{0};
          }
          if (weight) bounds[column] += taps.bound(field);
        }
      }
    }
  }
}

void spread_planes(const TapPlanes& taps, std::size_t positions, int channels,
                   const std::int16_t* activations, std::int16_t* operands) {
  for (std::size_t position = 0; position < positions; ++position) {
    for (int plane = 0; plane < taps.planes(); ++plane) {
      for (int channel = 0; channel < channels; ++channel) {
        operands[channel] = taps.operand(plane, activations[channel]);
      }
      operands += channels;
    }
    activations += channels;
  }
}

}  // namespace abacus::models
