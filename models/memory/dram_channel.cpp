#include "models/memory/dram_channel.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace abacus::models {
namespace {

using Time = DramChannel::Time;

Time picoseconds(double nanoseconds) { return static_cast<Time>(std::llround(nanoseconds * 1e3)); }

Time positive(double nanoseconds, const char* parameter) {
  if (!(nanoseconds > 0)) {
    throw std::invalid_argument(std::string("dram: ") + parameter + " is " +
                                std::to_string(nanoseconds) + " ns; must be above 0");
  }
  return picoseconds(nanoseconds);
}

Time or_else(double nanoseconds, Time otherwise) {
  return nanoseconds == 0 ? otherwise : picoseconds(nanoseconds);
}

}  // namespace

DramChannel::DramChannel(const hw::DramConfig& config, int number)
    : number_(number),
      t_ck_(positive(config.t_ck, "t_ck")),
      t_rcd_(positive(config.t_rcd, "t_rcd")),
      t_rp_(positive(config.t_rp, "t_rp")),
      t_cl_(positive(config.t_cl, "t_cl")),
      t_cwl_(positive(config.t_cwl, "t_cwl")),
      t_ras_(positive(config.t_ras, "t_ras")),
      t_wr_(positive(config.t_wr, "t_wr")),
      t_wtr_(positive(config.t_wtr, "t_wtr")),
      t_rtp_(positive(config.t_rtp, "t_rtp")),
      t_rfc_(positive(config.t_rfc, "t_rfc")),
      t_refi_(positive(config.t_refi, "t_refi")),
      burst_time_(static_cast<Time>(std::llround(static_cast<double>(t_ck_) * config.burst_length /
                                                 config.transfers_per_clock))),
      t_ccd_l_(std::max(or_else(config.t_ccd_l, burst_time_), burst_time_)),
      t_rrd_s_(picoseconds(config.t_rrd_s)),
      t_rrd_l_(or_else(config.t_rrd_l, t_rrd_s_)),
      t_faw_(picoseconds(config.t_faw)),
      t_wtr_l_(or_else(config.t_wtr_l, t_wtr_)),
      t_rfc_pb_(picoseconds(config.t_rfc_pb)),
      t_xp_(picoseconds(config.t_xp)),
      sleep_after_(picoseconds(config.power_down_after)),
      per_bank_(config.refresh == "per-bank"),
      refresh_interval_(per_bank_ ? t_refi_ / static_cast<Time>(config.banks) : t_refi_),
      banks_(static_cast<std::size_t>(config.banks)),
      groups_(static_cast<std::size_t>(config.bank_groups)),
      next_refresh_(refresh_interval_) {}

void DramChannel::restart() {
  std::fill(banks_.begin(), banks_.end(), Bank{});
  std::fill(groups_.begin(), groups_.end(), Group{});
  activate_ready_ = 0;
  faw_.fill(0);
  faw_next_ = 0;
  data_free_ = 0;
  data_last_read_ = false;
  read_ready_ = 0;
  busy_until_ = 0;
  next_refresh_ = refresh_interval_;
  next_bank_ = 0;
  open_banks_ = 0;
  states_ = States();
}

// Commands ---------------------------------------------------------------------------------------

Time DramChannel::precharge_time(int bank, Time from) const {
  return next_edge(std::max(from, at(bank).precharge_ready));
}

Time DramChannel::activate_time(int bank, Time from) const {
  Time when = std::max(from, at(bank).activate_ready);
  // Without tRRD ACTIVATEs of different banks may pass one another.
  if (t_rrd_s_ != 0) when = std::max({when, activate_ready_, group_of(bank).activate_ready});
  if (t_faw_ != 0) when = std::max(when, faw_[faw_next_]);
  return next_edge(when);
}

DramChannel::ColumnTime DramChannel::column_time(int bank, bool write, Time from) const {
  const Group& group = group_of(bank);
  Time ready = std::max({from, at(bank).column_ready, group.column_ready});
  const Time latency_here = latency(write);
  const auto bus = [&](Time column, Time free) {
    return free > column + latency_here ? free - latency_here : column;
  };
  const Time without = next_edge(bus(ready, data_free_));
  if (!write) ready = std::max({ready, read_ready_, group.read_ready});
  const Time free = write && data_last_read_ ? data_free_ + t_ck_ * 2 : data_free_;
  return {next_edge(bus(ready, free)), without};
}

void DramChannel::precharge(int bank, Time when) {
  Bank& b = at(bank);
  b.open_row = no_row;
  b.activate_ready = std::max(b.activate_ready, when + t_rp_);
  --open_banks_;
  log(DramCommand::Kind::precharge, when, bank, no_row);
}

void DramChannel::activate(int bank, std::int64_t row, Time when) {
  Bank& b = at(bank);
  b.open_row = row;
  b.column_ready = when + t_rcd_;
  b.opened = when + t_rcd_;
  b.precharge_ready = when + t_ras_;
  activate_ready_ = std::max(activate_ready_, when + t_rrd_s_);
  group_of(bank).activate_ready = std::max(group_of(bank).activate_ready, when + t_rrd_l_);
  faw_[faw_next_] = when + t_faw_;
  faw_next_ = (faw_next_ + 1) % faw_.size();
  ++open_banks_;
  busy_until_ = std::max(busy_until_, when + t_ras_);
  states_.activate(when);
  log(DramCommand::Kind::activate, when, bank, row);
}

Time DramChannel::columns(int bank, bool write, int bursts, Time when) {
  Bank& b = at(bank);
  Group& group = group_of(bank);
  const Time last = when + t_ccd_l_ * static_cast<Time>(bursts - 1);
  const Time data_end = last + latency(write) + burst_time_;
  data_free_ = data_end;
  data_last_read_ = !write;
  if (write) {
    read_ready_ = data_end + t_wtr_;
    group.read_ready = data_end + t_wtr_l_;
    b.precharge_ready = std::max(b.precharge_ready, data_end + t_wr_);
  } else {
    b.precharge_ready = std::max(b.precharge_ready, last + t_rtp_);
  }
  b.column_ready = group.column_ready = last + t_ccd_l_;
  busy_until_ = std::max(busy_until_, data_end);
  if (log_ != nullptr) {
    const auto kind = write ? DramCommand::Kind::write : DramCommand::Kind::read;
    for (int i = 0; i < bursts; ++i)
      log(kind, when + t_ccd_l_ * static_cast<Time>(i), bank, b.open_row);
  }
  return data_end;
}

void DramChannel::close(int bank) {
  if (open_row(bank) == no_row) return;
  const Time when = precharge_time(bank, 0);
  precharge(bank, when);
  busy_until_ = std::max(busy_until_, when);
  if (open_banks_ == 0) states_.close(when);
}

// Refresh and power-down -------------------------------------------------------------------------

void DramChannel::prepare(Time time) {
  if (sleep_after_ != 0 && time > sleep_time()) wake(time);
  if (time < next_refresh_) return;
  if (per_bank_) {
    refresh_banks(time);
  } else {
    refresh_all(time);
  }
}

void DramChannel::refresh_all(Time arrival) {
  // Of the refreshes due since the last request, all but the last found an idle device.
  const Time missed = (arrival - next_refresh_) / t_refi_;
  const Time due = next_refresh_ + missed * t_refi_;
  for (Time met = next_refresh_; met < due; met += t_refi_) states_.refresh(met, t_rfc_);
  Time precharge_from = due;
  for (const Bank& bank : banks_) {
    precharge_from = std::max(precharge_from,
                              bank.open_row == no_row ? bank.activate_ready : bank.precharge_ready);
  }
  Time start = next_edge(precharge_from);
  if (open_banks_ != 0) {
    log(DramCommand::Kind::precharge, start, -1, no_row);
    start = next_edge(start + t_rp_);
  }
  for (Bank& bank : banks_) {
    bank.open_row = no_row;
    bank.activate_ready = bank.refreshed = start + t_rfc_;
  }
  open_banks_ = 0;
  busy_until_ = std::max(busy_until_, start + t_rfc_);
  states_.refresh(start, t_rfc_);
  next_refresh_ = due + t_refi_;
  ++met_refreshes_;
  log(DramCommand::Kind::refresh, start, -1, no_row);
}

void DramChannel::refresh_banks(Time arrival) {
  while (next_refresh_ <= arrival) {
    const int number = static_cast<int>(next_bank_);
    Bank& bank = banks_[next_bank_];
    Time start = next_edge(std::max(next_refresh_, bank.activate_ready));
    if (bank.open_row != no_row) {
      const Time closed = precharge_time(number, next_refresh_);
      precharge(number, closed);
      if (open_banks_ == 0) states_.close(closed);
      start = next_edge(std::max(start, closed + t_rp_));
    }
    bank.activate_ready = bank.refreshed = start + t_rfc_pb_;
    states_.refresh(start, 0);
    ++met_refreshes_;
    log(DramCommand::Kind::refresh_bank, start, number, no_row);
    next_refresh_ += refresh_interval_;
    next_bank_ = (next_bank_ + 1) % banks_.size();
  }
}

// Of a channel that nobody asks for anything: when its rows close.
Time DramChannel::closing_time() const {
  Time ready = busy_until_;
  for (const Bank& bank : banks_) {
    ready = std::max(ready, bank.open_row == no_row ? bank.activate_ready : bank.precharge_ready);
  }
  return next_edge(ready + sleep_after_);
}

Time DramChannel::sleep_time() const {
  return open_banks_ == 0 ? closing_time() : next_edge(closing_time() + t_rp_);
}

void DramChannel::idle(States& states, Time& refresh, Time until) const {
  const Time t_rfc = per_bank_ ? 0 : t_rfc_;
  const Time asleep = sleep_after_ == 0 ? until : std::min(sleep_time(), until);
  for (; refresh < asleep; refresh += refresh_interval_) states.refresh(refresh, t_rfc);
  if (asleep >= until) return;
  if (states.open()) states.close(asleep);
  for (; refresh < until; refresh += refresh_interval_) {
    states.power_down(asleep, refresh);
    states.refresh(refresh, t_rfc);
  }
  states.power_down(asleep, until);
}

void DramChannel::wake(Time time) {
  const Time asleep = sleep_time();
  if (open_banks_ != 0) log(DramCommand::Kind::precharge, closing_time(), -1, no_row);
  log(DramCommand::Kind::power_down, asleep, -1, no_row);
  log(DramCommand::Kind::power_up, next_edge(time), -1, no_row);
  const Time due = next_refresh_;
  idle(states_, next_refresh_, time);
  next_bank_ = (next_bank_ + (next_refresh_ - due) / refresh_interval_) % banks_.size();
  // A refresh may be under way.
  const Time ready = std::max(next_edge(time) + t_xp_, states_.since());
  for (Bank& bank : banks_) {
    bank.open_row = no_row;
    bank.activate_ready = std::max(bank.activate_ready, ready);
    bank.refreshed = states_.since();
  }
  open_banks_ = 0;
  busy_until_ = std::max(busy_until_, ready);
}

// States -----------------------------------------------------------------------------------------

void DramChannel::States::spend(Time Residency::*in, Time until) {
  if (until <= since_) return;
  spent_.*in += until - since_;
  since_ = until;
  last_ = in;
}

void DramChannel::States::activate(Time when) {
  if (open_) return;
  spend(&Residency::precharged, when);
  open_ = true;
}

void DramChannel::States::close(Time when) {
  spend(open_ ? &Residency::active : &Residency::precharged, when);
  open_ = false;
}

void DramChannel::States::refresh(Time start, Time t_rfc) {
  ++spent_.refreshes;
  if (t_rfc == 0) return;  // of one bank
  close(std::max(start, since_));
  spend(&Residency::refreshing, since_ + t_rfc);
}

void DramChannel::States::power_down(Time from, Time until) {
  close(std::max(from, since_));
  spend(&Residency::powered_down, until);
}

DramChannel::Residency DramChannel::States::until(Time end) const {
  Residency spent = spent_;
  if (end >= since_) {
    (open_ ? spent.active : spent.precharged) += end - since_;
  } else {
    // In the middle of what ends later.
    spent.*last_ -= std::min(spent.*last_, since_ - end);
  }
  return spent;
}

DramChannel::Residency DramChannel::residency(Time time) const {
  States states = states_;
  Time refresh = next_refresh_;
  idle(states, refresh, time);
  return states.until(time);
}

}  // namespace abacus::models
