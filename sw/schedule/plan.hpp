// The order of work and the place of every buffer, before addresses in DRAM and tokens are known.
//
// A step is one compute command. A fetch brings one buffer's content on chip before the first step
// that needs it. Neither the order of steps nor the places depend on time; what runs side by side
// is decided by the tokens that sw/schedule/dependency_tracker works out.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "sw/schedule/placement.hpp"
#include "sw/schedule/tiling.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::schedule {

struct Step {
  int layer = 0;
  int spatial = 0;  // index into LayerTiling::spatial
  int column = 0;   // index into LayerTiling::columns; 0 on the vector unit
  std::uint32_t input_address = 0;
  std::uint32_t residual_address = 0;
  std::uint32_t output_address = 0;
  std::uint32_t weight_address = 0;
  std::uint32_t parameter_address = 0;
  bool keep_weights = false;
  bool completes_output = false;  // the output tile is stored after this step
  bool adapts = false;     // no tile: the layer's step adapter; its weights at weight_address
  int step_register = -1;  // adapts, and the tiles of a layer with an adapter: which one
};

enum class FetchKind { weights, parameters, input, residual, adapter };

struct Fetch {
  FetchKind kind = FetchKind::input;
  int layer = 0;
  RowRange rows;         // input, residual: of the tensor
  int first_column = 0;  // weights, parameters; residual of a compact tile
  int column_count = 0;  // weights, parameters
  std::uint32_t address = 0;
  int needed = 0;    // first step that uses it
  int earliest = 0;  // may stand in the program only after this step; −1: anywhere
};

struct Plan {
  Placement placement;
  std::vector<Step> steps;
  std::vector<Fetch> fetches;  // by `needed`

  const LayerTiling& tiling(int layer) const {
    return placement.tilings[static_cast<std::size_t>(layer)];
  }
};

Plan make_plan(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware,
               double time_tolerance);

}  // namespace abacus::schedule
