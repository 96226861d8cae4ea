// Batches of normalised, optionally augmented images. Everything random is a function of (seed,
// epoch, image), so that a resumed run sees what an uninterrupted one would.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "sw/network/dataset.hpp"
#include "sw/train/torch.hpp"

namespace abacus::train {

struct Augmentation {
  int padding = 0;    // pad by this many black pixels, then crop at a random place
  bool flip = false;  // mirror every second image, left to right, at random
};

struct Batch {
  torch::Tensor images;  // N×C×H×W float32, channels-last in memory
  torch::Tensor labels;  // N int64
};

// 0 … count−1 in a random order that depends on seed and epoch alone.
std::vector<std::int64_t> shuffled_order(std::int64_t count, std::uint64_t seed,
                                         std::uint64_t epoch);

// The images `indices[0 … count)`, augmented as (seed, epoch) says.
Batch make_batch(const network::Dataset& dataset, const network::Normalization& normalization,
                 const std::int64_t* indices, std::int64_t count,
                 const Augmentation& augmentation = {}, std::uint64_t seed = 0,
                 std::uint64_t epoch = 0);

// The images [first, first + count), plain.
Batch make_batch(const network::Dataset& dataset, const network::Normalization& normalization,
                 std::int64_t first, std::int64_t count);

// The images of a training, epoch after epoch in another order. Every batch can be had at any time, so
// that a training goes on where it was interrupted. Keeps a reference to the data set.
class BatchSource {
 public:
  // What becomes of the images that are left of an epoch when no whole batch is: their statistics are
  // noisier.
  enum class Rest { kept_from_half, left_out };

  struct Options {
    std::int64_t batch = 1;
    Augmentation augmentation;
    std::uint64_t seed = 0;
    Rest rest = Rest::kept_from_half;
    // Only so many of the images, the first of order 0; the epochs have the orders 1, 2, … then, without
    // it 0, 1, ….
    std::optional<std::int64_t> images = std::nullopt;
  };

  BatchSource(const network::Dataset& dataset, const network::Normalization& normalization,
              const Options& options);

  // Of an epoch; at least 1, all of them whole but the last.
  std::int64_t batches() const;
  std::int64_t whole_batches() const { return count() / size_; }
  // In the epoch's batches before batch `index`.
  std::int64_t images_before(std::int64_t index) const { return std::min(index * size_, count()); }

  Batch batch(int epoch, std::int64_t index);

 private:
  std::int64_t count() const { return static_cast<std::int64_t>(pool_.size()); }
  void draw_order(std::uint64_t number);

  const network::Dataset& dataset_;
  network::Normalization normalization_;
  Options options_;
  std::vector<std::int64_t> pool_;
  std::int64_t size_;
  std::vector<std::int64_t> order_;  // of the images of the pool
  std::optional<std::uint64_t> drawn_;
};

}  // namespace abacus::train
