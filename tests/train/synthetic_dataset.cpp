#include "tests/train/synthetic_dataset.hpp"

#include <random>

namespace abacus::test {

network::Dataset synthetic_dataset(std::int64_t count, std::uint32_t seed, network::Shape image) {
  network::Dataset data;
  data.name = "fashion-mnist";  // checkpoints take names of known data sets only
  data.image = image;
  data.classes = 4;
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> noise(0, 60);
  for (std::int64_t i = 0; i < count; ++i) {
    const int label = static_cast<int>(i % data.classes);
    data.labels.push_back(static_cast<std::uint8_t>(label));
    for (int c = 0; c < image.channels; ++c) {
      for (int y = 0; y < image.height; ++y) {
        for (int x = 0; x < image.width; ++x) {
          const bool bright =
              (y < image.height / 2) == (label < 2) && (x < image.width / 2) == (label % 2 == 0);
          data.pixels.push_back(static_cast<std::uint8_t>(noise(random) + (bright ? 150 : 0)));
        }
      }
    }
  }
  return data;
}

}  // namespace abacus::test
