// The first images of a data set.
#pragma once

#include <algorithm>
#include <cstdint>

#include "sw/network/dataset.hpp"

namespace abacus::network {

// All of them where it has no more than `images`.
inline void keep_first(Dataset& dataset, std::int64_t images) {
  images = std::min(images, dataset.count());
  dataset.pixels.resize(static_cast<std::size_t>(images * dataset.image.elements()));
  dataset.labels.resize(static_cast<std::size_t>(images));
}

}  // namespace abacus::network
