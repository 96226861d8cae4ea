#include "tlm/bus_monitor.hpp"

#include <cinttypes>
#include <cstdio>

namespace abacus::hw {

BusMonitor::BusMonitor(Bus& bus, std::ostream& out) : bus_(bus), out_(out) {
  out_ << "time_ns,initiator,layer,tensor,address,bytes,access,latency_ns,status\n";
  bus.observe(*this);
}

void BusMonitor::transferred(const BusTransfer& transfer) {
  const auto nanoseconds = [](const sc_core::sc_time& time) { return time.to_seconds() * 1e9; };
  char address[20];
  std::snprintf(address, sizeof address, "0x%08" PRIx64, transfer.address);
  out_ << nanoseconds(transfer.requested) << ',' << bus_.initiator_name(transfer.initiator) << ','
       << transfer.tag.layer << ',' << to_string(transfer.tag.purpose) << ',' << address << ','
       << transfer.bytes << ',' << (transfer.write ? "write" : "read") << ','
       << nanoseconds(transfer.completed - transfer.requested) << ','
       << (transfer.ok ? "ok" : "error") << '\n';
}

}  // namespace abacus::hw
