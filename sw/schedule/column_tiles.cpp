#include "sw/schedule/column_tiles.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <numeric>

namespace abacus::schedule {
namespace {

constexpr int channels_a_word = 8;

// A weight's field: two's complement, or the bit that a sign is.
std::uint32_t field(const network::IntegerLayer& layer, int weight) {
  if (layer.arithmetic == network::Arithmetic::bnn) return weight > 0 ? 1 : 0;
  return static_cast<std::uint32_t>(weight);
}

// Writes values of `bits` bits one after the other, lowest bits first.
class BitWriter {
 public:
  explicit BitWriter(std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}

  void put(std::uint32_t value, int bits) {
    pending_ |= (value & ((std::uint32_t{1} << bits) - 1)) << filled_;
    for (filled_ += bits; filled_ >= 8; filled_ -= 8) {
      bytes_[next_++] = static_cast<std::uint8_t>(pending_);
      pending_ >>= 8;
    }
  }

 private:
  std::vector<std::uint8_t>& bytes_;
  std::size_t next_ = 0;
  std::uint32_t pending_ = 0;  // bits of a byte that is not full yet: 8 values always fill theirs
  int filled_ = 0;
};

}  // namespace

std::vector<ColumnTile> column_tiles(const network::IntegerLayer& layer, int columns) {
  std::vector<int> order(layer.group.size());
  std::iota(order.begin(), order.end(), 0);
  const auto group_of = [&](int channel) { return layer.group[static_cast<std::size_t>(channel)]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return group_of(a) < group_of(b); });

  std::vector<ColumnTile> tiles;
  for (const int channel : order) {
    if (tiles.empty() || tiles.back().group != group_of(channel) ||
        tiles.back().columns() == columns) {
      tiles.push_back({group_of(channel), {}});
    }
    tiles.back().channels.push_back(channel);
  }
  return tiles;
}

std::vector<ChannelRun> channel_runs(const ColumnTile& tile) {
  std::vector<ChannelRun> runs;
  for (int column = 0; column < tile.columns(); ++column) {
    const int channel = tile.channels[static_cast<std::size_t>(column)];
    if (!runs.empty() && runs.back().first_channel + runs.back().count == channel) {
      ++runs.back().count;
    } else {
      runs.push_back({column, channel, 1});
    }
  }
  return runs;
}

std::uint64_t packed_weight_bytes(const network::IntegerLayer& layer, int input_channels,
                                  int columns) {
  // Depthwise: the columns' own channels, as if they were one column's.
  const int channels = layer.depthwise ? columns : input_channels;
  const int words = (channels + channels_a_word - 1) / channels_a_word;
  return static_cast<std::uint64_t>(layer.kernel) * layer.kernel * words *
         (layer.depthwise ? 1 : columns) * layer.weight_bits;
}

std::vector<std::uint8_t> pack_weights(const network::IntegerLayer& layer, int input_channels,
                                       const ColumnTile& tile) {
  std::vector<std::uint8_t> bytes(packed_weight_bytes(layer, input_channels, tile.columns()));
  BitWriter writer(bytes);
  const std::size_t kernel = static_cast<std::size_t>(layer.kernel);
  const std::size_t inputs = static_cast<std::size_t>(input_channels);
  if (layer.depthwise) {
    for (std::size_t tap = 0; tap < kernel * kernel; ++tap) {
      for (std::size_t i = 0; i < (tile.channels.size() + 7) / 8 * 8; ++i) {
        const bool there = i < tile.channels.size();
        const std::size_t channel = there ? static_cast<std::size_t>(tile.channels[i]) : 0;
        writer.put(field(layer, there ? layer.weights[channel * kernel * kernel + tap] : 0),
                   layer.weight_bits);
      }
    }
    return bytes;
  }
  for (std::size_t ky = 0; ky < kernel; ++ky) {
    for (std::size_t kx = 0; kx < kernel; ++kx) {
      for (std::size_t first = 0; first < inputs; first += channels_a_word) {
        for (const int channel : tile.channels) {
          for (std::size_t i = first; i < first + channels_a_word; ++i) {
            const std::size_t index =
                ((static_cast<std::size_t>(channel) * inputs + i) * kernel + ky) * kernel + kx;
            const int weight = i < inputs ? layer.weights[index] : 0;
            writer.put(field(layer, weight), layer.weight_bits);
          }
        }
      }
    }
  }
  return bytes;
}

std::uint64_t adapter_bytes(const network::AdapterNetwork& adapter) {
  return adapter.first_biases.size() * sizeof(std::int64_t) + adapter.first_weights.size() +
         adapter.second_weights.size();
}

std::vector<std::uint8_t> pack_adapter(const network::AdapterNetwork& adapter) {
  std::vector<std::uint8_t> bytes(adapter.first_biases.size() * sizeof(std::int64_t));
  if (!bytes.empty()) std::memcpy(bytes.data(), adapter.first_biases.data(), bytes.size());
  for (const auto& weights : {adapter.first_weights, adapter.second_weights}) {
    for (const std::int16_t weight : weights) bytes.push_back(static_cast<std::uint8_t>(weight));
  }
  return bytes;
}

std::vector<hw::ScaleRecord> scale_records(const network::IntegerLayer& layer,
                                           const ColumnTile& tile, bool compact) {
  std::vector<hw::ScaleRecord> records;
  for (int column = 0; column < tile.columns(); ++column) {
    const int channel = tile.channels[static_cast<std::size_t>(column)];
    hw::ScaleRecord record{};
    record.bias =
        layer.biases[static_cast<std::size_t>(channel)] * (std::int64_t{1} << layer.fraction_bits);
    record.multiplier = layer.multipliers[static_cast<std::size_t>(channel)];
    record.output_channel = static_cast<std::uint16_t>(compact ? column : channel);
    records.push_back(record);
  }
  return records;
}

}  // namespace abacus::schedule
