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
  // Of the load (store) unit in its transfers for the layer. Empty where the compute unit did not wait for
  // its tokens.
  std::vector<CauseCycles> load;
  std::vector<CauseCycles> store;

  // What most of the compute unit's time is: "work", or a wait. Behind a wait for a DMA's tokens what held
  // that up most: "token_load: dram_transfer"; "token_load: work" where the bus moved data for 90 % of its
  // time.
  std::string binding() const;
};

// layer: index in the network.
LayerWaits layer_waits(const TimedImage& image, int layer);

}  // namespace abacus::experiment
