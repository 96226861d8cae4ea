// Whether the hardware can run a network's layers at all, whatever the tiling.
#pragma once

#include "sw/network/integer_network.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::schedule {

// Throws std::runtime_error naming the layer, what it needs and what the hardware has: the kind of
// processing element and its table, operand widths, the number of layers. (validate() sees to the ranges of all
// other fields of a command.)
void check_hardware(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware);

}  // namespace abacus::schedule
