// A rough estimate of a layer's time and traffic, good enough to compare tilings of the same layer.
// The models measure; this only chooses.
#pragma once

#include <cstdint>

#include "sw/network/integer_network.hpp"
#include "sw/schedule/tiling.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::schedule {

struct TilingCost {
  double cycles = 0;
  double bytes = 0;  // moved between DRAM and the chip, pieces shorter than a burst counted as one
};

TilingCost estimate_cost(const network::IntegerNetwork& network, const network::IntegerLayer& layer,
                         const LayerTiling& tiling, const hw::HardwareConfig& hardware);

}  // namespace abacus::schedule
