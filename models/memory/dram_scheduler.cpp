#include "models/memory/dram_scheduler.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace abacus::models {

using Time = DramScheduler::Time;

DramScheduler::DramScheduler(const hw::DramConfig& config)
    : map_(config),
      controller_latency_(static_cast<Time>(std::llround(config.controller_latency * 1e3))),
      closes_(config.page_policy == "closed"),
      depth_(config.queue_depth),
      write_high_(config.write_high),
      write_low_(config.write_low) {
  for (DramChannel& device : dram_channels(config)) {
    channels_.emplace_back(std::move(device));
    channels_.back().passed.assign(static_cast<std::size_t>(config.banks), 0);
  }
}

void DramScheduler::restart(Time time) {
  epoch_ = time;
  for (Channel& channel : channels_) {
    channel.device.restart();
    for (const int kind : {0, 1}) {
      channel.queue[kind].clear();
      channel.outside[kind].clear();
      channel.bursts[kind] = 0;
    }
    std::fill(channel.passed.begin(), channel.passed.end(), 0);
    channel.writing = false;
    channel.last = 0;
    channel.command_bus = 0;
    channel.decision = {};
  }
  requests_.clear();
  unused_.clear();
  pushed_ = 0;
}

DramTiming::Residency DramScheduler::residency(Time time) const {
  DramTiming::Residency sum;
  for (const Channel& channel : channels_) sum += channel.device.residency(time - epoch_);
  return sum;
}

void DramScheduler::log_to(std::vector<DramCommand>* log) {
  for (Channel& channel : channels_) channel.device.log_to(log);
}

int DramScheduler::bursts_of(const Request& request) const {
  int bursts = 0;
  const std::uint64_t end = request.address + request.bytes;
  for (std::uint64_t address = request.address; address < end;) {
    const hw::DramMap::Run run = map_.run(address, end);
    bursts += run.bursts;
    address = run.end;
  }
  return bursts;
}

void DramScheduler::push(Time arrival, const Request& request) {
  std::size_t index = requests_.size();
  if (unused_.empty()) {
    requests_.emplace_back();
  } else {
    index = unused_.back();
    unused_.pop_back();
  }
  Waiting& waiting = requests_[index];
  waiting = Waiting();
  waiting.used = true;
  waiting.request = request;
  waiting.arrival = arrival - epoch_;
  waiting.ready = waiting.arrival + controller_latency_;
  waiting.age = pushed_++;
  const int kind = request.write ? 1 : 0;
  const std::uint64_t end = request.address + request.bytes;
  std::vector<Part> parts;
  std::vector<int> channels;
  for (std::uint64_t address = request.address; address < end;) {
    const hw::DramMap::Run run = map_.run(address, end);
    address = run.end;
    waiting.bursts += run.bursts;
    // Bursts of one row are one part, also where other groups' stand between them.
    std::size_t same = 0;
    while (same < parts.size() && (channels[same] != run.channel || parts[same].bank != run.bank ||
                                   parts[same].row != run.row)) {
      ++same;
    }
    if (same < parts.size()) {
      parts[same].bursts += run.bursts;
      continue;
    }
    parts.push_back({index, waiting.age, waiting.ready, run.bank, run.row, run.bursts});
    channels.push_back(run.channel);
  }
  waiting.parts = waiting.outside = static_cast<int>(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Channel& channel = channels_[static_cast<std::size_t>(channels[i])];
    channel.outside[kind].push_back(parts[i]);
    decide(channel);
  }
}

Time DramScheduler::next() const {
  Time soonest = never;
  for (const Channel& channel : channels_) soonest = std::min(soonest, channel.decision.at);
  return soonest == never ? never : soonest + epoch_;
}

void DramScheduler::advance(Time now, std::vector<Answer>& answers, std::vector<int>& activates) {
  const Time until = now == never ? never : now - epoch_;
  for (Channel& channel : channels_) {
    while (channel.decision.step != Step::none && channel.decision.at <= until) {
      carry_out(channel, answers, activates);
      decide(channel);
    }
  }
}

// Choice -----------------------------------------------------------------------------------------

bool DramScheduler::held_back(const Channel& channel, const Part& part, bool write) const {
  const int other = write ? 0 : 1;
  const Request& own = requests_[part.request].request;
  const auto before = [&](const Part& p) {
    const Request& request = requests_[p.request].request;
    return p.age < part.age && p.bank == part.bank && p.row == part.row &&
           request.address < own.address + own.bytes &&
           own.address < request.address + request.bytes;
  };
  return std::any_of(channel.queue[other].begin(), channel.queue[other].end(), before) ||
         std::any_of(channel.outside[other].begin(), channel.outside[other].end(), before);
}

bool DramScheduler::chooses_writes(const Channel& channel) const {
  const auto& reads = channel.queue[0];
  if (channel.queue[1].empty()) return false;
  if (reads.empty()) return true;
  if (channel.writing ? channel.bursts[1] > write_low_ : channel.bursts[1] >= write_high_)
    return true;
  return std::any_of(reads.begin(), reads.end(),
                     [&](const Part& part) { return held_back(channel, part, false); });
}

DramScheduler::Decision DramScheduler::command(const Channel& channel, bool writing) const {
  const std::vector<Part>& parts = channel.queue[writing ? 1 : 0];
  const bool others =
      !channel.queue[writing ? 0 : 1].empty() || !channel.outside[writing ? 0 : 1].empty();
  struct Wanted {
    const Part* hit = nullptr;    // the oldest
    const Part* other = nullptr;  // that wants another row, the oldest
  };
  std::vector<Wanted> wanted(channel.passed.size());
  for (const Part& part : parts) {
    if (others && held_back(channel, part, writing)) continue;
    Wanted& of = wanted[static_cast<std::size_t>(part.bank)];
    const Part*& place = channel.device.open_row(part.bank) == part.row ? of.hit : of.other;
    if (place == nullptr) place = &part;
  }
  Decision best;
  const auto better = [&](Step step, const Part& part, Time at, Time turnaround) {
    if (at > best.at) return;
    const auto index = static_cast<std::size_t>(&part - parts.data());
    if (at == best.at && (step > best.step || (step == best.step && index > best.part))) return;
    best = {at, step, writing, index, turnaround};
  };
  for (std::size_t b = 0; b < wanted.size(); ++b) {
    const Wanted& of = wanted[b];
    const int bank = static_cast<int>(b);
    const bool enough = of.hit != nullptr && of.other != nullptr && of.other->age < of.hit->age &&
                        channel.passed[b] >= streak;
    if (of.hit != nullptr && !enough) {
      const Time from = std::max(of.hit->ready, channel.command_bus);
      const DramChannel::ColumnTime column = channel.device.column_time(bank, writing, from);
      better(Step::column, *of.hit, column.at,
             column.at - std::min(column.at, column.without_turnaround));
    } else if (of.other != nullptr) {
      const Time from = std::max(of.other->ready, channel.command_bus);
      if (channel.device.open_row(bank) == DramChannel::no_row) {
        better(Step::activate, *of.other, channel.device.activate_time(bank, from), 0);
      } else {
        better(Step::precharge, *of.other, channel.device.precharge_time(bank, from), 0);
      }
    }
  }
  return best;
}

void DramScheduler::decide(Channel& channel) const {
  Decision best;
  for (const int kind : {0, 1}) {
    const std::deque<Part>& outside = channel.outside[kind];
    if (outside.empty()) continue;
    const bool room =
        channel.queue[kind].empty() || channel.bursts[kind] + outside.front().bursts <= depth_;
    const Time at = std::max(outside.front().ready, channel.last);
    if (room && at < best.at)
      best = {at, kind == 0 ? Step::admit_read : Step::admit_write, false, 0, 0};
  }
  if (!channel.queue[0].empty() || !channel.queue[1].empty()) {
    const bool writing = chooses_writes(channel);
    Decision next = command(channel, writing);
    if (next.step == Step::none) next = command(channel, !writing);
    if (next.at >= channel.device.next_refresh()) {
      next = {std::max(channel.device.next_refresh(), channel.last), Step::refresh, writing, 0, 0};
    }
    if (next.at < best.at) best = next;
  }
  channel.decision = best;
}

// What was chosen --------------------------------------------------------------------------------

void DramScheduler::carry_out(Channel& channel, std::vector<Answer>& answers,
                              std::vector<int>& activates) {
  const Decision decision = channel.decision;
  channel.last = decision.at;
  switch (decision.step) {
    case Step::none:
      return;
    case Step::admit_read:
    case Step::admit_write:
      return admit(channel, decision.step == Step::admit_write, answers);
    case Step::refresh:
      return channel.device.prepare(decision.at);
    default:
      break;
  }
  channel.writing = decision.writing;
  channel.command_bus = decision.at + channel.device.clock();
  if (decision.step == Step::column) return move(channel, answers);
  const Part& part = channel.queue[decision.writing ? 1 : 0][decision.part];
  Waiting& waiting = requests_[part.request];
  waiting.row_from = std::min(waiting.row_from, decision.at);
  channel.passed[static_cast<std::size_t>(part.bank)] = 0;
  if (decision.step == Step::precharge) return channel.device.precharge(part.bank, decision.at);
  channel.device.activate(part.bank, part.row, decision.at);
  ++waiting.activates;
  activates.push_back(waiting.request.layer);
}

void DramScheduler::admit(Channel& channel, bool write, std::vector<Answer>& answers) {
  const int kind = write ? 1 : 0;
  // An idle device: refreshes and power-down first.
  if (channel.queue[0].empty() && channel.queue[1].empty()) channel.device.prepare(channel.last);
  Part part = channel.outside[kind].front();
  channel.outside[kind].pop_front();
  part.ready = channel.last;
  channel.queue[kind].push_back(part);
  channel.bursts[kind] += part.bursts;
  Waiting& waiting = requests_[part.request];
  if (--waiting.outside != 0 || !write) return;
  DramTiming::Service service;
  service.bursts = waiting.bursts;
  service.completed = epoch_ + channel.last;
  service.latency = controller_latency_;
  service.queue = channel.last - waiting.ready;
  answers.push_back({waiting.request.id, service});
}

void DramScheduler::move(Channel& channel, std::vector<Answer>& answers) {
  const Decision& decision = channel.decision;
  const int kind = decision.writing ? 1 : 0;
  std::vector<Part>& parts = channel.queue[kind];
  Part& part = parts[decision.part];
  const std::size_t index = part.request;
  const int bank = part.bank;
  const std::int64_t row = part.row;
  Waiting& waiting = requests_[index];
  if (decision.at < waiting.column) {
    waiting.column = decision.at;
    waiting.turnaround = decision.turnaround;
    waiting.cas = channel.device.latency(decision.writing);
    waiting.refreshed = channel.device.refreshed_until(bank);
  }
  const bool passes = std::any_of(parts.begin(), parts.end(), [&](const Part& other) {
    return other.age < part.age && other.bank == bank && other.row != row;
  });
  if (passes) ++channel.passed[static_cast<std::size_t>(bank)];
  const Time data_end = channel.device.columns(bank, decision.writing, 1, decision.at);
  waiting.data_end = std::max(waiting.data_end, data_end);
  --channel.bursts[kind];
  if (--part.bursts != 0) return;
  parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(decision.part));
  if (closes_) {
    const auto wants = [&](const Part& other) { return other.bank == bank && other.row == row; };
    const bool wanted = std::any_of(channel.queue[0].begin(), channel.queue[0].end(), wants) ||
                        std::any_of(channel.queue[1].begin(), channel.queue[1].end(), wants);
    if (!wanted) channel.device.close(bank);
  }
  if (--waiting.parts != 0) return;
  if (!decision.writing) answers.push_back({waiting.request.id, service_of(waiting)});
  waiting.used = false;
  unused_.push_back(index);
}

// What overlaps counts as the first one of these: the data bus between reads and writes, opening a row, a refresh.
DramTiming::Service DramScheduler::service_of(const Waiting& waiting) const {
  DramTiming::Service service;
  service.completed = epoch_ + waiting.data_end;
  service.bursts = waiting.bursts;
  service.activates = waiting.activates;
  service.latency = controller_latency_ + waiting.cas;
  service.transfer = waiting.data_end - waiting.column - waiting.cas;
  Time left = waiting.column - waiting.ready;
  const auto spend = [&left](Time& in, Time most) {
    in = std::min(left, most);
    left -= in;
  };
  spend(service.turnaround, waiting.turnaround);
  const Time column = waiting.column - service.turnaround;
  const Time row_from = std::max(waiting.row_from, waiting.ready);
  spend(service.row, waiting.row_from != never && column > row_from ? column - row_from : 0);
  spend(service.refresh, waiting.refreshed > waiting.ready ? waiting.refreshed - waiting.ready : 0);
  spend(service.queue, left);
  return service;
}

}  // namespace abacus::models
