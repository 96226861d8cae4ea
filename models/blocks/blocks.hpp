// What the accelerator's blocks are built of, for their area, leakage and clock.
//
//   block            parts
//   pe_array,        models/array/array_parts.hpp
//   edge_array
//   read_quantizer   for each array, a row: multiplier 16 × 16, adder, shifter and register of 32 bits
//   scale_unit       for each array, a scale lane: multipliers accumulator × 16 (sum) and 16 × 16
//                    (residual), 3 adders and 2 shifters of 48 bits, registers of 48 and 16 bits; a
//                    column: registers of its multiplier and bias (16 + 48 bits)
//   vector_unit      a lane: 2 multipliers 16 × 16, 2 adders, 3 shifters and a register of 48 bits
//   step_adapter     a lane: multiplier 16 × 8, adder and register of 48 bits; memories of its channel
//                    sums (32 bits), hidden values (16), steps (32); a divider: adder of 28 bits,
//                    registers of 56
//   the SRAMs        their banks
//   dma              for each of both units: a memory of its outstanding bursts, a register as wide as
//                    the bus
//   bus              for each of its four initiators: registers of address (32 bits) and data
//   sequencer        memories of three command queues and of the fetched commands; registers of a
//                    command and of 16 token counters of 8 bits
//
// Wires, control logic and clock trees are left out; the host and the DRAM are no part of the chip.
#pragma once

#include <optional>
#include <vector>

#include "models/activity/activity.hpp"
#include "models/activity/unit.hpp"
#include "models/area/area_part.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

// A component can have several.
struct Block {
  Component component;
  // Whose commands it works for; none: it works all the time.
  std::optional<Unit> unit;
  std::vector<AreaUse> parts;

  // Flip-flops, which a clock drives.
  double register_bits() const;
};

std::vector<Block> accelerator_blocks(const hw::HardwareConfig& hardware);
// Parts of one component's blocks.
std::vector<AreaUse> parts_of(Component component, const hw::HardwareConfig& hardware);

}  // namespace abacus::models
