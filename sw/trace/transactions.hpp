// The bus transactions of a recording as text.
#pragma once

#include <functional>
#include <ostream>
#include <string>

#include "sw/trace/recorder.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::trace {

// What numbers stand for.
struct Names {
  std::function<std::string(int layer)> layer;  // −1: ""
  std::function<std::string(int initiator)> initiator;
};

// CSV with a heading, a line a transaction, in the order of their requests: time_ns and cycle of the
// request, from the doorbell of the image on; initiator, target, access, address, bytes, row_hit; wait_ns
// from request to first data beat, latency_ns to the last; layer, tensor; command, its index in the program,
// empty where none was under way.
void write_csv(std::ostream& out, const Recording& recording, const Names& names,
               const hw::HardwareConfig& hardware);

// Those to the DRAM, in the order of their arrival there, addresses relative to it, for trace players of other simulators:

// DRAMSys: `CYCLE: read|write 0xADDRESS`, in the DRAM's clock (tCK), one line a device burst.
void write_dramsys(std::ostream& out, const Recording& recording,
                   const hw::HardwareConfig& hardware);
// Ramulator 2, front end LoadStoreTrace: `LD|ST 0xADDRESS`, likewise.
void write_ramulator(std::ostream& out, const Recording& recording,
                     const hw::HardwareConfig& hardware);

}  // namespace abacus::trace
