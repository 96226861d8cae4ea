#include "models/memory/dram_timing.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace abacus::models {

namespace {

using Time = DramTiming::Time;

Time positive(double nanoseconds, const char* parameter) {
  if (!(nanoseconds > 0)) {
    throw std::invalid_argument(std::string("dram: ") + parameter + " is " +
                                std::to_string(nanoseconds) + " ns; must be above 0");
  }
  return static_cast<Time>(std::llround(nanoseconds * 1e3));
}

int at_least_one(int value, const char* parameter) {
  if (value < 1) {
    throw std::invalid_argument(std::string("dram: ") + parameter + " is " + std::to_string(value) +
                                "; must be at least 1");
  }
  return value;
}

}  // namespace

DramTiming::DramTiming(const hw::DramConfig& config)
    : banks_(at_least_one(config.banks, "banks")),
      row_bytes_(static_cast<std::uint64_t>(at_least_one(config.row_bytes, "row_bytes"))),
      burst_bytes_(
          at_least_one(config.burst_length * config.data_bits / 8, "burst_length × data_bits / 8")),
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
      burst_time_(
          static_cast<Time>(std::llround(static_cast<double>(t_ck_) * config.burst_length / 2))),
      bank_(static_cast<std::size_t>(config.banks)),
      next_refresh_(t_refi_) {
  if (row_bytes_ % static_cast<std::uint64_t>(burst_bytes_) != 0) {
    throw std::invalid_argument("dram: row_bytes " + std::to_string(row_bytes_) +
                                " is no multiple of a burst's " + std::to_string(burst_bytes_) +
                                " bytes");
  }
  if (t_refi_ <= t_rfc_) {
    throw std::invalid_argument("dram: t_refi must be above t_rfc, or refresh takes all the time");
  }
}

void DramTiming::restart(Time time) {
  epoch_ = time;
  std::fill(bank_.begin(), bank_.end(), Bank{});
  data_free_ = 0;
  data_last_read_ = false;
  any_write_ = false;
  next_refresh_ = t_refi_;
  refresh_end_ = 0;
  states_ = States();
}

void DramTiming::States::activate(Time at) {
  if (open) return;
  spent.precharged += at - since;
  since = at;
  open = true;
}

void DramTiming::States::refresh(Time start, Time t_rfc) {
  const Time begin = std::max(start, since);
  (open ? spent.active : spent.precharged) += begin - since;
  spent.refreshing += t_rfc;
  ++spent.refreshes;
  since = begin + t_rfc;
  open = false;
}

DramTiming::Residency DramTiming::residency(Time time) const {
  const Time end = time - epoch_;
  States states = states_;
  for (Time due = next_refresh_; due < end; due += t_refi_) states.refresh(due, t_rfc_);
  Residency spent = states.spent;
  if (end >= states.since) {
    (states.open ? spent.active : spent.precharged) += end - states.since;
  } else {
    // In the middle of a refresh.
    spent.refreshing -= states.since - end;
  }
  return spent;
}

DramTiming::Service DramTiming::access(Time arrival_time, std::uint64_t address,
                                       std::uint64_t bytes, bool write) {
  const Time arrival = arrival_time - epoch_;
  if (arrival >= next_refresh_) refresh(arrival);

  Service service;
  Time since = arrival;
  const std::uint64_t end = address + bytes;
  while (address < end) {
    // The part that lies in one row.
    const std::uint64_t page = address / row_bytes_;
    const std::uint64_t part_end = std::min(end, (page + 1) * row_bytes_);
    const auto burst = static_cast<std::uint64_t>(burst_bytes_);
    const int bursts = static_cast<int>((part_end - 1) / burst - address / burst + 1);
    Bank& bank = bank_[page % static_cast<std::uint64_t>(banks_)];
    const auto row = static_cast<std::int64_t>(page / static_cast<std::uint64_t>(banks_));

    if (bank.open_row != row) {
      Time activate = std::max(arrival, bank.activate_ready);
      if (bank.open_row != no_row) {
        const Time precharge = next_edge(std::max(arrival, bank.precharge_ready));
        activate = std::max(activate, precharge + t_rp_);
        ++service.conflicts;
      }
      activate = next_edge(activate);
      bank.open_row = row;
      bank.column_ready = activate + t_rcd_;
      bank.opened = activate + t_rcd_;
      bank.precharge_ready = activate + t_ras_;
      ++service.activates;
      states_.activate(activate);
    }

    const Time latency = write ? t_cwl_ : t_cl_;
    Part part;
    part.row_ready = bank.opened;
    part.bus_free = data_free_ > latency ? data_free_ - latency : 0;
    Time column = std::max(arrival, bank.column_ready);
    if (!write && any_write_) column = std::max(column, write_data_end_ + t_wtr_);
    Time data_free = data_free_;
    if (write && data_last_read_) data_free += t_ck_ * 2;
    if (data_free > column + latency) column = data_free - latency;
    column = next_edge(column);

    const Time last_column = column + burst_time_ * static_cast<Time>(bursts - 1);
    const Time data_end = last_column + latency + burst_time_;
    part.column = column;
    part.data_end = data_end;
    part.transfer = burst_time_ * static_cast<Time>(bursts);
    account(part, since, service);
    since = data_end;
    data_free_ = data_end;
    data_last_read_ = !write;
    if (write) {
      write_data_end_ = data_end;
      any_write_ = true;
      bank.precharge_ready = std::max(bank.precharge_ready, data_end + t_wr_);
    } else {
      bank.precharge_ready = std::max(bank.precharge_ready, last_column + t_rtp_);
    }
    bank.column_ready = last_column + burst_time_;  // tCCD
    service.bursts += bursts;
    service.completed = epoch_ + data_end;
    address = part_end;
  }
  return service;
}

void DramTiming::account(const Part& part, Time since, Service& service) const {
  // From `from` on, up to each limit in turn and to the data at last.
  Time from = since;
  const auto spend = [&from, &part](Time& in, Time limit) {
    const Time until = std::min(std::max(limit, from), part.data_end);
    in += until - from;
    from = until;
  };
  spend(service.queue, part.bus_free);
  spend(service.refresh, refresh_end_);
  spend(service.row, part.row_ready);
  spend(service.turnaround, part.column);
  spend(service.latency, part.data_end - part.transfer);
  spend(service.transfer, part.data_end);
}

void DramTiming::refresh(Time arrival) {
  // Of the refreshes due since the last request, all but the last found an idle device.
  const auto missed = (arrival - next_refresh_) / t_refi_;
  const Time due = next_refresh_ + missed * t_refi_;
  for (Time met = next_refresh_; met < due; met += t_refi_) states_.refresh(met, t_rfc_);
  Time precharge = due;
  bool open = false;
  for (const Bank& bank : bank_) {
    if (bank.open_row == no_row) {
      precharge = std::max(precharge, bank.activate_ready);
    } else {
      precharge = std::max(precharge, bank.precharge_ready);
      open = true;
    }
  }
  Time start = next_edge(precharge);
  if (open) start = next_edge(start + t_rp_);
  for (Bank& bank : bank_) {
    bank.open_row = no_row;
    bank.activate_ready = start + t_rfc_;
  }
  refresh_end_ = start + t_rfc_;
  states_.refresh(start, t_rfc_);
  next_refresh_ = due + t_refi_;
  ++refreshes_;
}

DramTiming::Time DramTiming::next_edge(Time time) const {
  const auto past = time % t_ck_;
  return past == 0 ? time : time - past + t_ck_;
}

}  // namespace abacus::models
