// When a DRAM moves the bytes asked of it by a controller that serves requests in the order of arrival.
// Arithmetic on times only, in picoseconds; no process, no stored bytes, no SystemC.
//
// Parameters: DramConfig (tlm/dram_config.hpp). Where an address stands: tlm/dram_map.hpp. What the device
// allows: dram_channel.hpp.
//
// Policy: data move in the order of arrival, on each channel; the precharge and activation of a request overlap
// with the data of those before it (bank-level overlap). Commands go at edges of tCK.
//   row hit       READ at once; first data after tCL
//   row miss      (bank precharged) ACTIVATE, tRCD, READ
//   row conflict  PRECHARGE, tRP, ACTIVATE, tRCD, READ; PRECHARGE not before tRAS after ACTIVATE,
//                 tRTP after READ, tWR after the last write data
//   write         like read with tCWL; a read's command waits tWTR after the last write data, a
//                 write's data 2 tCK after the last read data (bus turnaround, JESD79-3)
//   data          a burst's time each; bursts of one row follow one another tCCD_L apart, those of different
//                 bank groups without a gap
//   closed page   a request's rows close after it
//   refresh       every tREFI; the first request that arrives after it is due finds all banks
//                 precharged (once they may be, and tRP later) and waits until tRFC is over. Per-bank: a bank
//                 every tREFI / banks, which only requests for it wait for
//   restart       at a program's start: all banks precharged and idle, the refresh interval and tCK
//                 begin anew, so that a program's time does not depend on when its doorbell rang
// Left out: the command bus's occupancy (a controller without a queue is seldom held up by it).
#pragma once

#include <cstdint>
#include <vector>

#include "models/memory/dram_channel.hpp"
#include "tlm/dram_map.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

class DramTiming {
 public:
  using Time = DramChannel::Time;  // ps
  using Residency = DramChannel::Residency;

  struct Service {
    Time completed = 0;  // last data beat
    int bursts = 0;
    int activates = 0;
    int conflicts = 0;  // activates that had to close another row first
    // What the time from arrival to completion went into; they add up to it. What overlaps counts as the
    // first one of them: a row that is opened while earlier requests have the data bus costs no row time.
    Time queue = 0, refresh = 0, row = 0, turnaround = 0, latency = 0, transfer = 0;
  };

  // Throws std::invalid_argument naming the parameters that are out of range or contradict each other.
  explicit DramTiming(const hw::DramConfig& config);

  // Serves `bytes` bytes from `address` on. Calls come in the order of service.
  Service access(Time arrival, std::uint64_t address, std::uint64_t bytes, bool write);

  // All banks precharged at `time`, which is an edge of tCK; the next refresh is due tREFI later.
  void restart(Time time);

  // Since the last restart, of all channels together. `time` is not before the last request was served.
  Residency residency(Time time) const;

  int burst_bytes() const { return burst_bytes_; }
  // Refreshes that requests have met; those over before the next request arrived are not counted.
  std::int64_t refreshes() const;
  // Commands are written there from now on, in the order of service. Not owned.
  void log_to(std::vector<DramCommand>* log);

 private:
  // Of one row's part of a request: `since` is the end of the part before.
  struct Part {
    Time bus_free = 0;  // for its column command, if the data bus were all
    Time refreshed = 0;
    Time row_ready = 0;
    Time column = 0;
    Time data_end = 0;
    Time transfer = 0;  // of its bursts
  };
  static void account(const Part& part, Time since, Service& service);

  int burst_bytes_;
  Time controller_latency_;
  bool closes_;
  hw::DramMap map_;
  std::vector<DramChannel> channels_;
  Time epoch_ = 0;  // the last restart
  struct Touched {
    DramChannel* channel;
    int bank;
  };
  std::vector<Touched> touched_;  // by the request under way
};

// Throws std::invalid_argument where `config` has a parameter out of range, or ones that contradict each other.
void check(const hw::DramConfig& config);
// One a channel.
std::vector<DramChannel> dram_channels(const hw::DramConfig& config);

}  // namespace abacus::models
