// Images through the hardware models, in this process.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "sw/experiment/run_outcome.hpp"
#include "sw/network/dataset.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/schedule/program.hpp"
#include "sw/support/forked_work.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {
class Platform;
}

namespace abacus::experiment {

struct SimulationSlice {
  std::int64_t first = 0;  // index of the first image in the data set
  std::int64_t count = 0;
  std::int64_t timed = 0;    // images of the slice, from its first, that run at `level`
  std::int64_t checked = 0;  // images of the slice, from its first, held against the reference
};

// What looks at an elaborated platform before its software runs; may be empty.
using Prepare = std::function<void(models::Platform&)>;

// Elaborates the platform, lets the driver load the program, and runs the slice's images through
// it: the timed ones first, at `level`, then the others at the functional level, through the same
// models. `engine` computes the arrays' accumulators (models/array/engine.hpp). May be called again and again in a
// process that ends by _exit(), since the context is gone in which SystemC called sc_main(). Throws std::runtime_error naming what failed; what the
// models throw passes through.
RunOutcome simulate_slice(const network::IntegerNetwork& network, const schedule::Program& program,
                          const hw::HardwareConfig& hardware, hw::TimingLevel level,
                          const std::string& engine, const network::Dataset& dataset,
                          const SimulationSlice& slice, const support::Report& report,
                          const Prepare& prepare = {});

}  // namespace abacus::experiment
