// What the scheduler chose for each layer, what it costs by its own estimate, what the next best choice
// would have cost, and which limit binds. For people; nothing computes with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "sw/schedule/tiling.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::schedule {

struct LayerExplanation {
  std::string name;
  std::string unit;      // "PE array", "edge array", "vector unit"
  std::string input;     // "on chip", "from DRAM, once", "from DRAM, by tiles"
  std::string residual;  // likewise; empty: none
  std::string output;    // "on chip", "on chip and to DRAM", "to DRAM"
  TilingSummary chosen;
  std::optional<TilingSummary> next_best;  // with the same tensors on chip; none: nothing else fits
  std::string limit;                       // what its time is spent on
};

// Throws as schedule() does.
std::vector<LayerExplanation> explain(const network::IntegerNetwork& network,
                                      const hw::HardwareConfig& hardware);

std::string to_string(LoopOrder order);

}  // namespace abacus::schedule
