// A recording as a Perfetto trace (https://perfetto.dev/docs/reference/trace-packet-proto, TrackEvent).
//
// Tracks, under one process: each unit, the bus's request and response channel, each DRAM bank. On a unit's
// track a command is a slice named after layer and tile; what its time went into are slices in it, and
// between commands the waits stand alone. A flow leads from the command that raised a token to the command
// that took it. Timestamps are whole nanoseconds from the image's doorbell on; `cycle` and `cycles` of a
// command's slice are exact.
#pragma once

#include <ostream>
#include <string>

#include "sw/trace/recorder.hpp"
#include "sw/trace/transactions.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::trace {

// title: the process's name. layer: only what serves this one; every_layer: all.
inline constexpr int every_layer = -2;
void write_perfetto(std::ostream& out, const Recording& recording, const Names& names,
                    const hw::HardwareConfig& hardware, const std::string& title, int layer);

}  // namespace abacus::trace
