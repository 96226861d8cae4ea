// Writes down what the units, the bus and the DRAM of a platform do while an image runs.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <systemc>
#include <vector>

#include "models/activity/trace_sink.hpp"
#include "tlm/bus.hpp"
#include "tlm/command.hpp"
#include "tlm/transaction.hpp"

namespace abacus::models {
class Platform;
}

namespace abacus::trace {

// Times are SystemC's.
struct SpentInterval {
  models::Unit unit;
  int layer;
  models::Cause cause;
  sc_core::sc_time from, to;
};

struct ExecutedCommand {
  models::Unit unit;
  std::uint32_t index;  // in the program
  hw::Command command;
  sc_core::sc_time from, to;
};

struct BusTransaction {
  int initiator;
  int layer;
  hw::TensorPurpose purpose;
  std::uint64_t address;
  unsigned bytes;
  bool write;
  bool row_hit;
  sc_core::sc_time requested, completed;
  std::array<sc_core::sc_time, hw::phase_count>
      until;  // end of each phase, never before the one before

  const sc_core::sc_time& end_of(hw::Phase phase) const {
    return until[static_cast<std::size_t>(phase)];
  }
};

// Of one program, from its doorbell to its interrupt (the host's transfers before and after are not in it); in the order in which things ended.
struct Recording {
  sc_core::sc_time start;
  sc_core::sc_time cycle;  // of the clock
  std::vector<SpentInterval> spent;
  std::vector<ExecutedCommand> commands;
  std::vector<BusTransaction> transactions;
};

class Recorder : public models::TraceSink, public hw::BusObserver {
 public:
  // Before the simulation starts; must outlive the platform. Records what runs at timed levels, each
  // program afresh.
  void attach(models::Platform& platform);

  const Recording& recording() const { return recording_; }

 private:
  void spent(models::Unit unit, int layer, models::Cause cause, const sc_core::sc_time& from,
             const sc_core::sc_time& to) override;
  void executed(models::Unit unit, std::uint32_t index, const hw::Command& command,
                const sc_core::sc_time& from, const sc_core::sc_time& to) override;
  void transferred(const hw::BusTransfer& transfer) override;

  Recording recording_;
  bool running_ = false;  // a program
};

}  // namespace abacus::trace
