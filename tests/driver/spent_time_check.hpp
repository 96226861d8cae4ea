// Holds what the units say of their time to what the program and its run say.
#pragma once

#include <cstdint>
#include <vector>

#include "models/context.hpp"
#include "tlm/command.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::test {

// After one program at a timed level, with `timeline` and `spent` cleared before it. Each unit's time is
// `cycles`, of it the DMA units' work the beats of their transfers; waits inside of commands are the
// timeline's.
void check_spent_time(const models::Context& context, const hw::HardwareConfig& hardware,
                      const std::vector<hw::Command>& commands, std::uint64_t cycles);

}  // namespace abacus::test
