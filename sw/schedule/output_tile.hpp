// What one compute command makes of a layer's output, and where it stands when the command ends: what
// a check reads there, before anything overwrites it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sw/network/integer_network.hpp"

namespace abacus::schedule {

struct OutputTile {
  std::uint32_t command = 0;  // its index in the program
  int layer = 0;
  int first_row = 0;
  int rows = 0;
  std::uint32_t address = 0;  // activation SRAM: the first row's first pixel
  int pixel_channels = 0;     // elements from a pixel to the next
  struct Channel {
    int element;  // of a pixel
    int channel;  // of the layer's output
  };
  std::vector<Channel> channels;  // that the command computes

  std::uint64_t bytes(const network::StoredTensor& output) const {
    return static_cast<std::uint64_t>(rows) * output.shape.width * pixel_channels *
           output.element_bytes();
  }
};

// Element `index` of a stored tensor's elements from `bytes` on: one byte up to 8 bits, else two,
// little-endian, two's complement where the tensor is signed.
std::int32_t stored_element(const network::StoredTensor& tensor, const std::uint8_t* bytes,
                            std::size_t index);

// Calls visit(row, column, channel, value) for every value of the tile, of which `bytes` are what
// stands at its address.
template <typename Visit>
void for_each_value(const OutputTile& tile, const network::StoredTensor& output,
                    const std::vector<std::uint8_t>& bytes, const Visit& visit) {
  for (int row = 0; row < tile.rows; ++row) {
    for (int x = 0; x < output.shape.width; ++x) {
      const std::size_t pixel = static_cast<std::size_t>(row) * output.shape.width + x;
      for (const OutputTile::Channel& place : tile.channels) {
        const std::size_t element = pixel * tile.pixel_channels + place.element;
        visit(tile.first_row + row, x, place.channel,
              stored_element(output, bytes.data(), element));
      }
    }
  }
}

}  // namespace abacus::schedule
