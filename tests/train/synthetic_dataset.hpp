// Small images that a small network can learn: a bright square whose corner depends on the class.
#pragma once

#include <cstdint>

#include "sw/network/dataset.hpp"

namespace abacus::test {

network::Dataset synthetic_dataset(std::int64_t count, std::uint32_t seed,
                                   network::Shape image = {1, 12, 12});

}  // namespace abacus::test
