// Logs every transaction of a bus as one CSV line: time and latency in nanoseconds (from request to
// last byte of the response), initiator, layer (−1: none), tensor, address, bytes, read or write,
// whether it succeeded. Costs time; nobody monitors a bus unless asked.
#pragma once

#include <ostream>

#include "tlm/bus.hpp"

namespace abacus::hw {

class BusMonitor : public BusObserver {
 public:
  // Writes the header line at once. Both must outlive the monitor; observes the bus from now on.
  BusMonitor(Bus& bus, std::ostream& out);
  void transferred(const BusTransfer& transfer) override;

 private:
  Bus& bus_;
  std::ostream& out_;
};

}  // namespace abacus::hw
