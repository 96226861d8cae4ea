// A rough estimate of a layer's time and traffic, good enough to compare tilings of the same layer.
// The models measure; this only chooses.
#pragma once

#include "sw/network/integer_network.hpp"
#include "sw/schedule/tiling.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::schedule {

struct TilingEstimate {
  TilingCost cost;
  CycleParts parts;
};

TilingEstimate estimate_cost(const network::IntegerNetwork& network,
                             const network::IntegerLayer& layer, const OperandPlaces& places,
                             const Loops& loops, const hw::HardwareConfig& hardware);

}  // namespace abacus::schedule
