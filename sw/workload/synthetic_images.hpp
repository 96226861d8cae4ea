// Random images, for workloads without a data set.
#pragma once

#include <cstdint>

#include "sw/network/dataset.hpp"

namespace abacus::workload {

// `count` images whose pixels are uniform over 0 … 255; image i is the same whatever `count` is. The
// labels mean nothing.
network::Dataset synthetic_images(const network::Shape& image, int classes, std::int64_t count,
                                  std::uint64_t seed);

}  // namespace abacus::workload
