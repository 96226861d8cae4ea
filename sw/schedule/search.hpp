// The best program found for a network: several are planned (sw/schedule/variants.hpp) and replayed
// (sw/schedule/replay.hpp). docs/scheduling.md explains the choice.
#pragma once

#include "sw/network/integer_network.hpp"
#include "sw/schedule/placement.hpp"
#include "sw/schedule/program.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::schedule {

// Of a network that passed check_hardware(). Throws std::runtime_error as schedule() does.
Program search_program(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware);

// What search_program() chooses for the tensors and layers.
Placement search_placement(const network::IntegerNetwork& network,
                           const hw::HardwareConfig& hardware);

}  // namespace abacus::schedule
