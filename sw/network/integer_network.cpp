#include "sw/network/integer_network.hpp"

#include <stdexcept>
#include <string>

namespace abacus::network {

std::string to_string(IntegerLayerKind kind) {
  switch (kind) {
    case IntegerLayerKind::convolution:
      return "convolution";
    case IntegerLayerKind::add:
      return "add";
    case IntegerLayerKind::average_pool:
      return "average_pool";
    case IntegerLayerKind::max_pool:
      return "max_pool";
  }
  throw std::invalid_argument("integer layer kind number " +
                              std::to_string(static_cast<int>(kind)) + " has no name");
}

std::vector<std::int16_t> quantize_image(const IntegerNetwork& network,
                                         const std::uint8_t* pixels) {
  const Shape& shape = network.image.shape;
  std::vector<std::int16_t> image(static_cast<std::size_t>(shape.elements()));
  std::size_t out = 0;
  for (int y = 0; y < shape.height; ++y) {
    for (int x = 0; x < shape.width; ++x) {
      for (int c = 0; c < shape.channels; ++c) {
        const std::uint8_t pixel = pixels[(std::int64_t{c} * shape.height + y) * shape.width + x];
        image[out++] = network.input_table[static_cast<std::size_t>(c) * 256 + pixel];
      }
    }
  }
  return image;
}

}  // namespace abacus::network
