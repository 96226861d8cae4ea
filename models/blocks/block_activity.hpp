// What the chip's blocks spend for being there: leakage, and their clocks, which run while a block works
// and are gated while it has nothing to do.
#pragma once

#include <array>
#include <cstdint>

#include "models/activity/activity.hpp"
#include "models/activity/unit.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

// Counts, outside of layers, for `cycles` clock cycles: of each block (models/blocks/blocks.hpp) clock_cycle
// and idle_cycle at its flip-flops, and of each component leakage, in ns. busy: cycles in which each unit
// executed commands, at most `cycles`. Blocks without a unit work all the time.
void count_blocks(Activity& activity, const hw::HardwareConfig& hardware, std::int64_t cycles,
                  const std::array<std::int64_t, unit_count>& busy);

// Counts, outside of layers, for a time between programs, in ns: leakage, idle cycles of all blocks, and
// the DRAM in `dram_state` (dram_precharge_standby, dram_power_down or dram_self_refresh), with its
// refreshes where it does not do them itself.
void count_between_programs(Activity& activity, const hw::HardwareConfig& hardware,
                            std::int64_t nanoseconds, Action dram_state);

}  // namespace abacus::models
