// Batches of normalised, optionally augmented images. Everything random is a function of (seed,
// epoch, image), so that a resumed run sees what an uninterrupted one would.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/network/dataset.hpp"
#include "sw/train/torch.hpp"

namespace abacus {

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
Batch make_batch(const Dataset& dataset, const Normalization& normalization,
                 const std::int64_t* indices, std::int64_t count,
                 const Augmentation& augmentation = {}, std::uint64_t seed = 0,
                 std::uint64_t epoch = 0);

// The images [first, first + count), plain.
Batch make_batch(const Dataset& dataset, const Normalization& normalization, std::int64_t first,
                 std::int64_t count);

}  // namespace abacus
