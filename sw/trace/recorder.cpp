#include "sw/trace/recorder.hpp"

#include <algorithm>

#include "models/accelerator/platform.hpp"

namespace abacus::trace {

void Recorder::attach(models::Platform& platform) {
  platform.context().sink = this;
  platform.observe_bus(*this);
  platform.context().on_program_start([this, cycle = platform.context().cycle()] {
    recording_ = Recording();
    recording_.start = sc_core::sc_time_stamp();
    recording_.cycle = cycle;
    running_ = true;
  });
  platform.context().on_program_end([this] { running_ = false; });
}

void Recorder::spent(models::Unit unit, int layer, models::Cause cause,
                     const sc_core::sc_time& from, const sc_core::sc_time& to) {
  recording_.spent.push_back({unit, layer, cause, from, to});
}

void Recorder::executed(models::Unit unit, std::uint32_t index, const hw::Command& command,
                        const sc_core::sc_time& from, const sc_core::sc_time& to) {
  recording_.commands.push_back({unit, index, command, from, to});
}

void Recorder::transferred(const hw::BusTransfer& transfer) {
  if (!running_ || transfer.requested < recording_.start) return;  // the doorbell's own
  const hw::TransactionTag& tag = transfer.tag;
  BusTransaction transaction{transfer.initiator, tag.layer,      tag.purpose, transfer.address,
                             transfer.bytes,     transfer.write, tag.row_hit, transfer.requested,
                             transfer.completed, tag.until};
  sc_core::sc_time before = transfer.requested;
  for (sc_core::sc_time& end : transaction.until) before = end = std::max(end, before);
  recording_.transactions.push_back(transaction);
}

}  // namespace abacus::trace
