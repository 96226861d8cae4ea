// One channel of a DRAM: when which command may go, by the device's timings. Arithmetic on times only, in
// picoseconds since the last restart; no requests, no stored bytes, no SystemC. Who orders the commands is the
// controller's business (dram_timing.hpp, dram_scheduler.hpp).
//
// Constraints (names as in tlm/dram_config.hpp):
//   bank     tRCD, tRP, tRAS, tRTP, tWR
//   group    tCCD_L; tRRD_L; tWTR_L
//   channel  data bus (tCCD_S is a burst's time); tRRD_S, tFAW; tWTR; from read to write data 2 tCK
//            (JESD79-3's bus turnaround, taken for all devices)
//   refresh  all-bank: all banks precharged, tRP, REFRESH, tRFC. Per-bank: the bank precharged, tRP,
//            REFRESH, tRFC_pb; banks take turns.
//   power    precharge power-down: rows closed, entered power_down_after since the last command's end,
//            left in tXP. Refreshes wake the device and it goes back.
// Commands go at edges of tCK.
// Left out: command bus (a controller's), distances between per-bank refreshes and other banks' commands,
// ZQ calibration, tCKE, self-refresh.
// States, for the device's background power: active standby from the first ACTIVATE until all rows have been
// closed by refresh, closed-page policy or power-down (the tRP in which a conflict has its bank closed are not
// taken out), refresh for tRFC, power-down, precharge standby else. A refresh that no request met counts, too.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tlm/hardware_config.hpp"

namespace abacus::models {

// A command as it goes to the device; for checks.
struct DramCommand {
  enum class Kind {
    activate,
    read,
    write,
    precharge,
    refresh,       // of all banks
    refresh_bank,  // of one
    power_down,
    power_up
  };
  Kind kind;
  std::uint64_t time;  // ps since the last restart
  int channel;
  int bank;          // −1: all
  std::int64_t row;  // −1: none
};

class DramChannel {
 public:
  using Time = std::uint64_t;  // ps
  static constexpr std::int64_t no_row = -1;

  // Time in each state; together the time since the last restart.
  struct Residency {
    Time active = 0;
    Time precharged = 0;
    Time refreshing = 0;
    Time powered_down = 0;
    std::int64_t refreshes = 0;  // of all banks, or of one

    Residency& operator+=(const Residency& other) {
      active += other.active;
      precharged += other.precharged;
      refreshing += other.refreshing;
      powered_down += other.powered_down;
      refreshes += other.refreshes;
      return *this;
    }
  };

  // Throws std::invalid_argument naming the parameter that is out of range.
  DramChannel(const hw::DramConfig& config, int number);

  void restart();

  std::int64_t open_row(int bank) const { return at(bank).open_row; }
  // Soonest, not before `from`.
  Time precharge_time(int bank, Time from) const;
  Time activate_time(int bank, Time from) const;
  struct ColumnTime {
    Time at;
    Time without_turnaround;  // if the data bus had moved the same way before
  };
  ColumnTime column_time(int bank, bool write, Time from) const;

  void precharge(int bank, Time when);
  void activate(int bank, std::int64_t row, Time when);
  // So many bursts, the first one's command at `when`; returns the end of the last one's data.
  Time columns(int bank, bool write, int bursts, Time when);
  // As soon as it may be, without a command of its own.
  void close(int bank);

  // Work arrives at `time`, after which nothing earlier will: refreshes that are due and power-down have their
  // way first.
  void prepare(Time time);
  Time next_refresh() const { return next_refresh_; }
  // All-bank: every bank. `bank` is refreshed until then, if later than the request's arrival.
  Time refreshed_until(int bank) const { return at(bank).refreshed; }
  // Of any column command, if the data bus were all.
  Time data_free() const { return data_free_; }
  // The row's first possible column command.
  Time opened(int bank) const { return at(bank).opened; }

  Time latency(bool write) const { return write ? t_cwl_ : t_cl_; }
  Time burst_time() const { return burst_time_; }
  Time next_edge(Time time) const {
    const Time past = time % t_ck_;
    return past == 0 ? time : time - past + t_ck_;
  }
  Time clock() const { return t_ck_; }

  // `time` is not before the last command's.
  Residency residency(Time time) const;
  // Refreshes that work has met; those over before it arrived are not counted.
  std::int64_t met_refreshes() const { return met_refreshes_; }

  // Commands are written there from now on. Not owned.
  void log_to(std::vector<DramCommand>* log) { log_ = log; }

 private:
  struct Bank {
    std::int64_t open_row = no_row;
    Time activate_ready = 0;
    Time column_ready = 0;     // to the open row
    Time opened = 0;           // soonest column command after the row's ACTIVATE
    Time precharge_ready = 0;  // soonest PRECHARGE
    Time refreshed = 0;        // end of the last refresh
  };
  struct Group {
    Time column_ready = 0;
    Time activate_ready = 0;
    Time read_ready = 0;  // tWTR_L
  };
  // States since the last restart, up to `since`.
  class States {
   public:
    void activate(Time when);
    void close(Time when);
    void refresh(Time start, Time t_rfc);
    void power_down(Time from, Time until);
    Residency until(Time end) const;
    Time since() const { return since_; }
    bool open() const { return open_; }

   private:
    void spend(Time Residency::*in, Time until);

    Residency spent_;
    Time since_ = 0;
    Time Residency::*last_ = &Residency::precharged;  // what ended at `since`
    bool open_ = false;                               // any row
  };

  Bank& at(int bank) { return banks_[static_cast<std::size_t>(bank)]; }
  const Bank& at(int bank) const { return banks_[static_cast<std::size_t>(bank)]; }
  Group& group_of(int bank) { return groups_[static_cast<std::size_t>(bank) % groups_.size()]; }
  const Group& group_of(int bank) const {
    return groups_[static_cast<std::size_t>(bank) % groups_.size()];
  }
  void refresh_all(Time arrival);
  void refresh_banks(Time arrival);
  Time closing_time() const;
  Time sleep_time() const;
  // Of a channel that nobody needs from `from` until `until`: refreshes, asleep or not.
  void idle(States& states, Time& refresh, Time until) const;
  void wake(Time time);
  void log(DramCommand::Kind kind, Time when, int bank, std::int64_t row) {
    if (log_ != nullptr) log_->push_back({kind, when, number_, bank, row});
  }

  int number_;
  Time t_ck_, t_rcd_, t_rp_, t_cl_, t_cwl_, t_ras_, t_wr_, t_wtr_, t_rtp_, t_rfc_, t_refi_;
  Time burst_time_, t_ccd_l_, t_rrd_s_, t_rrd_l_, t_faw_, t_wtr_l_, t_rfc_pb_, t_xp_, sleep_after_;
  bool per_bank_;
  Time refresh_interval_;

  std::vector<Bank> banks_;
  std::vector<Group> groups_;
  Time activate_ready_ = 0;      // tRRD_S
  std::array<Time, 4> faw_{};    // the last four ACTIVATEs + tFAW
  std::size_t faw_next_ = 0;     // the oldest of them
  Time data_free_ = 0;           // data bus
  bool data_last_read_ = false;  // what the data bus moved last
  Time read_ready_ = 0;          // tWTR
  Time busy_until_ = 0;          // the last command's end, for power-down
  Time next_refresh_;
  std::size_t next_bank_ = 0;  // to be refreshed
  int open_banks_ = 0;
  States states_;
  std::int64_t met_refreshes_ = 0;
  std::vector<DramCommand>* log_ = nullptr;
};

}  // namespace abacus::models
