// From a plan to the command list.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "sw/schedule/output_tile.hpp"
#include "sw/schedule/plan.hpp"
#include "sw/schedule/program.hpp"
#include "tlm/command.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::schedule {

// Where things stand in DRAM.
struct MemoryMap {
  struct LayerData {
    std::vector<std::uint64_t> weights;  // address of each column tile
    std::vector<std::uint64_t> parameters;
    std::uint64_t adapter = 0;  // 0: none
  };
  std::vector<LayerData> layers;
  TensorPlace input;
  std::vector<std::optional<TensorPlace>>
      outputs;  // of layers; none where it never leaves the chip
};

struct Emission {
  std::vector<hw::Command> commands;
  std::vector<OutputTile> tiles;  // in the commands' order
};

// Commands in an order that is right if executed one by one, with tokens that let the units run
// ahead of one another as far as the buffers allow.
Emission emit_commands(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware,
                       const Plan& plan, const MemoryMap& map);

}  // namespace abacus::schedule
