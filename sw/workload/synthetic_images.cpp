#include "sw/workload/synthetic_images.hpp"

#include "sw/network/counter_generator.hpp"

namespace abacus::workload {

network::Dataset synthetic_images(const network::Shape& image, int classes, std::int64_t count,
                                  std::uint64_t seed) {
  constexpr std::uint64_t purpose = 0x696D616765;  // apart from the weights' draws
  network::Dataset images;
  images.name = "synthetic";
  images.image = image;
  images.classes = classes;
  images.pixels.reserve(static_cast<std::size_t>(count * image.elements()));
  for (std::int64_t i = 0; i < count; ++i) {
    network::CounterGenerator generator(seed, 0, static_cast<std::uint64_t>(i), purpose);
    for (std::int64_t p = 0; p < image.elements(); ++p) {
      images.pixels.push_back(static_cast<std::uint8_t>(generator.below(256)));
    }
  }
  images.labels.assign(static_cast<std::size_t>(count), 0);
  return images;
}

}  // namespace abacus::workload
