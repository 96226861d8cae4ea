// Images with labels, from the files that their publishers ship.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sw/network/network.hpp"

namespace abacus::network {

// The files' training images are split in two: `validation` is 5,000 of them, drawn by a fixed
// permutation; `train` the rest; `train_all` both. `test` is the publisher's test set.
enum class Split { train, validation, train_all, test };

struct Dataset {
  std::string name;
  Shape image;
  int classes = 0;
  std::vector<std::uint8_t> pixels;  // count × channels × height × width
  std::vector<std::uint8_t> labels;  // count

  std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
  const std::uint8_t* image_data(std::int64_t index) const {
    return pixels.data() + index * image.elements();
  }
};

// x = (pixel/255 − mean[c]) / deviation[c]; only the first `channels` entries are used.
struct Normalization {
  std::array<float, 3> mean{};
  std::array<float, 3> deviation{};
};

// "fashion-mnist", "cifar10", "cifar100".
const std::vector<std::string>& dataset_names();
Shape dataset_image(const std::string& name);
int dataset_classes(const std::string& name);
Normalization dataset_normalization(const std::string& name);

// The data root: `given` if not empty, else the environment's ABACUS_DATA if set, else empty, which
// stands for the place of Debian's package dataset-fashion-mnist.
std::filesystem::path data_root(const std::filesystem::path& given);
// The same for one data set: an ABACUS_DATA without Fashion-MNIST does not hide Debian's package.
std::filesystem::path data_root(const std::filesystem::path& given, const std::string& dataset);

// Reads Fashion-MNIST (IDX, gzipped or plain) or CIFAR (official binary layout) below `root`.
// Throws std::runtime_error naming file, byte offset, what was found and what was expected for
// missing, truncated, overlong, mislabelled or wrong-sized files.
Dataset load_dataset(const std::string& name, Split split, const std::filesystem::path& root);

}  // namespace abacus::network
