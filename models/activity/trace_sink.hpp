// Told, while a program runs at a timed level, what the units do: for pictures of time. Without one nothing is
// told; with one nothing takes longer in simulated time.
#pragma once

#include <cstdint>
#include <systemc>

#include "models/activity/spent_time.hpp"
#include "tlm/command.hpp"

namespace abacus::models {

class TraceSink {
 public:
  virtual ~TraceSink() = default;
  // [from, to) of a unit's time, as SpentTime counts it. Of one unit they come in order.
  virtual void spent(Unit unit, int layer, Cause cause, const sc_core::sc_time& from,
                     const sc_core::sc_time& to) = 0;
  // A unit has executed a command, the `index`-th of the program; after its spent(). Its wait tokens were
  // taken at `from`, its signal tokens raised at `to`.
  virtual void executed(Unit unit, std::uint32_t index, const hw::Command& command,
                        const sc_core::sc_time& from, const sc_core::sc_time& to) = 0;
};

}  // namespace abacus::models
