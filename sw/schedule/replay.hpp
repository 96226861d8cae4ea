// How long a program takes, without running it: the commands pass through sequencer, queues and tokens, the
// transfers burst by burst through bus and DRAM, compute commands through their phases and the SRAMs' ports,
// by the functions that the models use (models/timing/compute_time.hpp, models/memory/dram_timing.hpp,
// models/memory/dram_scheduler.hpp, models/memory/sram_ports.hpp). No data, no SystemC.
//
// It differs from the models where several things happen at the very same time and their order decides, and
// it leaves out what depends on weights: waits for ports of lookup tables (post). random_hardware_test holds
// it to the models.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "tlm/command.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::schedule {

// Cycles from doorbell to interrupt of the program whose command stream stands at `command_address`; where
// it takes longer than `at_most`, some number above that. Throws std::logic_error if the program waits for
// tokens that nobody raises.
std::int64_t replay(const std::vector<hw::Command>& commands, std::uint64_t command_address,
                    const hw::HardwareConfig& hardware,
                    std::int64_t at_most = std::numeric_limits<std::int64_t>::max());

}  // namespace abacus::schedule
