// When a DRAM device moves the bytes asked of it: banks, open rows, refresh, data bus. Arithmetic
// on times only, in picoseconds; no process, no stored bytes, no SystemC.
//
// Parameters (DramConfig, names and values as in the data sheet, JESD79-3 terms): banks, row_bytes,
// data_bits, burst_length, tCK, tRCD, tRP, tCL, tCWL, tRAS, tWR, tWTR, tRTP, tRFC, tREFI.
//
// Address map: row, bank, column (column lowest): neighbouring pages stand in different banks.
// Policy: open page; requests are served in the order of arrival, but the precharge and activation
// of one overlap with the data of those before it (bank-level overlap). Commands go at edges of
// tCK.
//   row hit       READ at once; first data after tCL
//   row miss      (bank precharged) ACTIVATE, tRCD, READ
//   row conflict  PRECHARGE, tRP, ACTIVATE, tRCD, READ; PRECHARGE not before tRAS after ACTIVATE,
//                 tRTP after READ, tWR after the last write data
//   write         like read with tCWL; a read's command waits tWTR after the last write data, a
//                 write's data 2 tCK after the last read data (bus turnaround, JESD79-3)
//   data          burst_length × data_bits in burst_length / 2 × tCK; bursts of one row follow one
//                 another without a gap
//   refresh       every tREFI; the first request that arrives after it is due finds all banks
//                 precharged (once they may be, and tRP later) and waits until tRFC is over
//   restart       at a program's start: all banks precharged and idle, the refresh interval and tCK
//                 begin anew, so that a program's time does not depend on when its doorbell rang
// States, for the device's background power: active standby from the first ACTIVATE until the refresh that
// closes all banks (the tRP in which a conflict has its bank closed are not taken out), refresh for tRFC,
// precharge standby else. A refresh that no request met counts, too.
// Left out: tRRD and tFAW (seldom binding with one requester's streams), the command bus's
// occupancy, ZQ calibration, power-down.
#pragma once

#include <cstdint>
#include <vector>

#include "tlm/hardware_config.hpp"

namespace abacus::models {

class DramTiming {
 public:
  using Time = std::uint64_t;  // ps

  struct Service {
    Time completed = 0;  // last data beat
    int bursts = 0;
    int activates = 0;
    int conflicts = 0;  // activates that had to close another row first
    // What the time from arrival to completion went into; they add up to it. What overlaps counts as the
    // first one of them: a row that is opened while earlier requests have the data bus costs no row time.
    Time queue = 0, refresh = 0, row = 0, turnaround = 0, latency = 0, transfer = 0;
  };

  // Time in each state; together the time since the last restart.
  struct Residency {
    Time active = 0;
    Time precharged = 0;
    Time refreshing = 0;
    std::int64_t refreshes = 0;
  };

  // Throws std::invalid_argument naming the parameter that is out of range.
  explicit DramTiming(const hw::DramConfig& config);

  // Serves `bytes` bytes from `address` on. Calls come in the order of service.
  Service access(Time arrival, std::uint64_t address, std::uint64_t bytes, bool write);

  // All banks precharged at `time`, which is an edge of tCK; the next refresh is due tREFI later.
  void restart(Time time);

  // Since the last restart. `time` is not before the last request was served.
  Residency residency(Time time) const;

  int burst_bytes() const { return burst_bytes_; }
  // Refreshes that requests have met; those over before the next request arrived are not counted.
  std::int64_t refreshes() const { return refreshes_; }

 private:
  static constexpr std::int64_t no_row = -1;
  struct Bank {
    std::int64_t open_row = no_row;
    Time activate_ready = 0;   // soonest ACTIVATE
    Time column_ready = 0;     // soonest READ or WRITE to the open row
    Time opened = 0;           // soonest READ or WRITE after the row\'s ACTIVATE
    Time precharge_ready = 0;  // soonest PRECHARGE
  };
  // States since the last restart, up to `since`.
  struct States {
    Residency spent;
    Time since = 0;
    bool open = false;  // any bank

    void activate(Time at);
    void refresh(Time start, Time t_rfc);
  };
  void refresh(Time arrival);
  // Of one row's part of a request: `since` is the end of the part before.
  struct Part {
    Time bus_free = 0;  // for its column command, if the data bus were all
    Time row_ready = 0;
    Time column = 0;
    Time data_end = 0;
    Time transfer = 0;  // of its bursts
  };
  void account(const Part& part, Time since, Service& service) const;
  Time next_edge(Time time) const;

  int banks_;
  std::uint64_t row_bytes_;
  int burst_bytes_;
  Time t_ck_, t_rcd_, t_rp_, t_cl_, t_cwl_, t_ras_, t_wr_, t_wtr_, t_rtp_, t_rfc_, t_refi_;
  Time burst_time_;

  // Everything below is time since `epoch_`, the last restart.
  Time epoch_ = 0;
  std::vector<Bank> bank_;
  Time data_free_ = 0;           // data bus
  bool data_last_read_ = false;  // what the data bus moved last
  Time write_data_end_ = 0;
  bool any_write_ = false;
  Time next_refresh_;
  Time refresh_end_ = 0;  // of the last one that a request has met
  States states_;
  std::int64_t refreshes_ = 0;
};

}  // namespace abacus::models
