// When a DRAM device moves the bytes asked of it: banks, open rows, refresh, data bus. Arithmetic
// on times only; no process, no stored bytes.
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
#include <systemc>
#include <vector>

#include "tlm/hardware_config.hpp"

namespace abacus::models {

class DramTiming {
 public:
  struct Service {
    sc_core::sc_time completed;  // last data beat
    int bursts = 0;
    int activates = 0;
    int conflicts = 0;  // activates that had to close another row first
    // What the time from arrival to completion went into; they add up to it. What overlaps counts as the
    // first one of them: a row that is opened while earlier requests have the data bus costs no row time.
    sc_core::sc_time queue, refresh, row, turnaround, latency, transfer;
  };

  // Time in each state; together the time since the last restart.
  struct Residency {
    sc_core::sc_time active;
    sc_core::sc_time precharged;
    sc_core::sc_time refreshing;
    std::int64_t refreshes = 0;
  };

  // Throws std::invalid_argument naming the parameter that is out of range.
  explicit DramTiming(const hw::DramConfig& config);

  // Serves `bytes` bytes from `address` on. Calls come in the order of service.
  Service access(const sc_core::sc_time& arrival, std::uint64_t address, std::uint64_t bytes,
                 bool write);

  // All banks precharged at `time`, which is an edge of tCK; the next refresh is due tREFI later.
  void restart(const sc_core::sc_time& time);

  // Since the last restart. `time` is not before the last request was served.
  Residency residency(const sc_core::sc_time& time) const;

  int burst_bytes() const { return burst_bytes_; }
  // Refreshes that requests have met; those over before the next request arrived are not counted.
  std::int64_t refreshes() const { return refreshes_; }

 private:
  static constexpr std::int64_t no_row = -1;
  struct Bank {
    std::int64_t open_row = no_row;
    sc_core::sc_time activate_ready;   // soonest ACTIVATE
    sc_core::sc_time column_ready;     // soonest READ or WRITE to the open row
    sc_core::sc_time precharge_ready;  // soonest PRECHARGE
  };
  // States since the last restart, up to `since`.
  struct States {
    Residency spent;
    sc_core::sc_time since;
    bool open = false;  // any bank

    void activate(const sc_core::sc_time& at);
    void refresh(const sc_core::sc_time& start, const sc_core::sc_time& t_rfc);
  };
  void refresh(const sc_core::sc_time& arrival);
  // Of one row's part of a request: `since` is the end of the part before.
  struct Part {
    sc_core::sc_time bus_free;  // for its column command, if the data bus were all
    sc_core::sc_time row_ready;
    sc_core::sc_time column;
    sc_core::sc_time data_end;
    sc_core::sc_time transfer;  // of its bursts
  };
  void account(const Part& part, const sc_core::sc_time& since, Service& service) const;
  sc_core::sc_time next_edge(const sc_core::sc_time& time) const;

  int banks_;
  std::uint64_t row_bytes_;
  int burst_bytes_;
  sc_core::sc_time t_ck_, t_rcd_, t_rp_, t_cl_, t_cwl_, t_ras_, t_wr_, t_wtr_, t_rtp_, t_rfc_,
      t_refi_;
  sc_core::sc_time burst_time_;

  // Everything below is time since `epoch_`, the last restart.
  sc_core::sc_time epoch_;
  std::vector<Bank> bank_;
  sc_core::sc_time data_free_;   // data bus
  bool data_last_read_ = false;  // what the data bus moved last
  sc_core::sc_time write_data_end_;
  bool any_write_ = false;
  sc_core::sc_time next_refresh_;
  sc_core::sc_time refresh_end_;  // of the last one that a request has met
  States states_;
  std::int64_t refreshes_ = 0;
};

}  // namespace abacus::models
