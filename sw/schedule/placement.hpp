// Which tensors stay in the activation SRAM, where, and how long; and with that each layer's tiling.
// docs/scheduling.md explains the choice.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "sw/schedule/liveness.hpp"
#include "sw/schedule/tiling.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::schedule {

// A tensor's stay in the activation SRAM: whole, at one place, while layers first … last run.
struct Stay {
  int tensor = network::image_tensor;
  int first = 0;  // the layer that computes it; or one that reads it, and brings it from DRAM
  int last = 0;   // the last one that reads it there
  std::uint64_t bytes = 0;
  std::uint32_t address = 0;

  bool computed() const { return first == tensor; }
  bool during(int layer) const { return first <= layer && layer <= last; }
};

struct Placement {
  std::vector<std::optional<Stay>> stays;  // a tensor each, by index_of_tensor
  std::vector<bool> in_dram;               // likewise: whether the tensor has a place in DRAM
  std::vector<LayerTiling> tilings;        // a layer each
};

// The stays that save most traffic and fit. Throws std::runtime_error naming layer, need and capacity
// where a layer's smallest tiles do not fit.
Placement place_tensors(const network::IntegerNetwork& network, const hw::HardwareConfig& hardware,
                        double time_tolerance = 1.05);

}  // namespace abacus::schedule
