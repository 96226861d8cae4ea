#include "models/array/zero_gating.hpp"

#include <cstddef>

namespace abacus::models {

void ZeroGating::load(const ProcessingElement& element, const TapFormat& format,
                      const hw::ArrayTile& tile, const std::uint8_t* packed) {
  // [column][position][channel]; depthwise, [position][column].
  std::vector<std::int16_t> weights(static_cast<std::size_t>(tile.weights()));
  unpack_plain(format, weight_shape(tile), packed, weights.data());
  const std::size_t places = static_cast<std::size_t>(tile.kernel) * tile.kernel *
                             (tile.depthwise ? tile.columns : tile.channels);
  zero_weights_.assign(places, 0);
  read_weights_.assign(places, 0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) ++zero_weights_[i % places];
    if (element.reads_table(format, weights[i])) ++read_weights_[i % places];
  }
}

ZeroGating::Gated ZeroGating::count(const hw::ArrayTile& tile, const void* operands,
                                    const OperandLayout& layout,
                                    const TapGeometry& geometry) const {
  const int seen = tile.depthwise ? tile.columns : tile.channels;
  const std::int64_t columns = tile.depthwise ? 1 : tile.columns;  // that see a channel
  const int row_width = geometry.operand_width();
  const auto zero = [&](std::size_t index) {
    const int operand = layout.wide ? static_cast<const std::int16_t*>(operands)[index]
                                    : static_cast<const std::uint8_t*>(operands)[index];
    return operand == layout.zero;
  };
  Gated gated;
  std::size_t place = 0;
  for (int ky = 0; ky < tile.kernel; ++ky) {
    for (int kx = 0; kx < tile.kernel; ++kx) {
      for (int channel = 0; channel < seen; ++channel, ++place) {
        std::int64_t zeros = 0;
        for (int y = 0; y < tile.output_height; ++y) {
          for (int x = 0; x < tile.output_width; ++x) {
            const std::size_t position =
                static_cast<std::size_t>(y * geometry.stride + ky) * row_width +
                static_cast<std::size_t>(x * geometry.stride + kx);
            zeros += zero(position * geometry.channel_groups * 8 + channel) ? 1 : 0;
          }
        }
        gated.taps += zeros * columns + (tile.pixels() - zeros) * zero_weights_[place];
        gated.table_reads += zeros * read_weights_[place];
      }
    }
  }
  return gated;
}

}  // namespace abacus::models
