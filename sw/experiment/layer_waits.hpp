// Where a layer's time goes, and what holds it up.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sw/experiment/run_outcome.hpp"

namespace abacus::experiment {

struct CauseCycles {
  models::Cause cause;
  double cycles;
};

struct LayerWaits {
  double cycles = 0;                 // as layer_times() says
  std::vector<CauseCycles> compute;  // of the compute unit, the most first
  // Of the load (store) unit for the layer, without work: what it waited for while the compute unit
  // waited for its tokens. Empty where that did not.
  std::vector<CauseCycles> load;
  std::vector<CauseCycles> store;

  // What binds: "work" (the array, or the vector unit, is what it takes), or the largest wait; where that is
  // for a DMA's tokens, what that did most: "token_load, work" (bandwidth), "token_load, dram_row".
  std::string binding() const;
};

// layer: index in the network.
LayerWaits layer_waits(const TimedImage& image, int layer);

}  // namespace abacus::experiment
