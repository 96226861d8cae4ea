#include "models/memory/dram_timing.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace abacus::models {
namespace {

using Time = DramTiming::Time;

void at_least_one(std::int64_t value, const char* parameter) {
  if (value < 1) {
    throw std::invalid_argument(std::string("dram: ") + parameter + " is " + std::to_string(value) +
                                "; must be at least 1");
  }
}

}  // namespace

void check(const hw::DramConfig& config) {
  at_least_one(config.banks, "banks");
  at_least_one(config.bank_groups, "bank_groups");
  at_least_one(config.channels, "channels");
  at_least_one(config.row_bytes, "row_bytes");
  at_least_one(config.transfers_per_clock, "transfers_per_clock");
  at_least_one(config.burst_bits() / 8, "burst_length × data_bits / 8");
  const auto broken = hw::broken_rule(config);
  if (!broken) return;
  std::string keys;
  for (const std::string& key : broken->keys) keys += (keys.empty() ? "" : ", ") + key;
  throw std::invalid_argument("dram: " + keys + ": must be " + broken->allowed);
}

std::vector<DramChannel> dram_channels(const hw::DramConfig& config) {
  check(config);
  std::vector<DramChannel> channels;
  channels.reserve(static_cast<std::size_t>(config.channels));
  for (int i = 0; i < config.channels; ++i) channels.emplace_back(config, i);
  return channels;
}

DramTiming::DramTiming(const hw::DramConfig& config)
    : burst_bytes_(static_cast<int>(config.burst_bits() / 8)),
      controller_latency_(static_cast<Time>(std::llround(config.controller_latency * 1e3))),
      closes_(config.page_policy == "closed"),
      map_(config),
      channels_(dram_channels(config)) {}

void DramTiming::restart(Time time) {
  epoch_ = time;
  for (DramChannel& channel : channels_) channel.restart();
}

DramTiming::Residency DramTiming::residency(Time time) const {
  Residency sum;
  for (const DramChannel& channel : channels_) sum += channel.residency(time - epoch_);
  return sum;
}

std::int64_t DramTiming::refreshes() const {
  std::int64_t sum = 0;
  for (const DramChannel& channel : channels_) sum += channel.met_refreshes();
  return sum;
}

void DramTiming::log_to(std::vector<DramCommand>* log) {
  for (DramChannel& channel : channels_) channel.log_to(log);
}

DramTiming::Service DramTiming::access(Time arrival_time, std::uint64_t address,
                                       std::uint64_t bytes, bool write) {
  const Time arrival = arrival_time - epoch_ + controller_latency_;
  Service service;
  service.latency = controller_latency_;
  Time since = arrival;
  const std::uint64_t end = address + bytes;
  touched_.clear();
  while (address < end) {
    const hw::DramMap::Run run = map_.run(address, end);
    DramChannel& channel = channels_[static_cast<std::size_t>(run.channel)];
    channel.prepare(arrival);
    const std::int64_t open = channel.open_row(run.bank);
    if (open != run.row) {
      if (open != DramChannel::no_row) {
        channel.precharge(run.bank, channel.precharge_time(run.bank, arrival));
        ++service.conflicts;
      }
      channel.activate(run.bank, run.row, channel.activate_time(run.bank, arrival));
      ++service.activates;
    }

    const Time latency = channel.latency(write);
    Part part;
    part.refreshed = channel.refreshed_until(run.bank);
    part.row_ready = channel.opened(run.bank);
    part.bus_free = channel.data_free() > latency ? channel.data_free() - latency : 0;
    part.column = channel.column_time(run.bank, write, arrival).at;
    part.data_end = channel.columns(run.bank, write, run.bursts, part.column);
    part.transfer = channel.burst_time() * static_cast<Time>(run.bursts);
    if (closes_) touched_.push_back({&channel, run.bank});
    // Channels move data side by side: a request has waited for the latest.
    if (part.data_end > since) {
      account(part, since, service);
      since = part.data_end;
    }
    service.bursts += run.bursts;
    address = run.end;
  }
  service.completed = epoch_ + since;
  for (const Touched& touched : touched_) touched.channel->close(touched.bank);
  return service;
}

void DramTiming::account(const Part& part, Time since, Service& service) {
  // From `from` on, up to each limit in turn and to the data at last.
  Time from = since;
  const auto spend = [&from, &part](Time& in, Time limit) {
    const Time until = std::min(std::max(limit, from), part.data_end);
    in += until - from;
    from = until;
  };
  spend(service.queue, part.bus_free);
  spend(service.refresh, part.refreshed);
  spend(service.row, part.row_ready);
  spend(service.turnaround, part.column);
  spend(service.latency, part.data_end > part.transfer ? part.data_end - part.transfer : 0);
  spend(service.transfer, part.data_end);
}

}  // namespace abacus::models
