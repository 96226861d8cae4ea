#include "models/memory/sram_ports.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>

namespace abacus::models {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

SramPorts::SramPorts(int ports) : ports_(ports) {
  if (ports < 1) throw std::invalid_argument("ports is " + std::to_string(ports) + "; at least 1");
}

std::int64_t SramPorts::burst(std::int64_t now, std::int64_t accesses) {
  advance(now);
  std::int64_t end = now_;
  for (std::size_t i = 0; accesses > 0; ++i) {
    if (steps_[i].taken == ports_) continue;
    const Step step = steps_[i];
    const bool last = i + 1 == steps_.size();
    if (last || steps_[i + 1].cycle - step.cycle > accesses) {
      const auto behind = steps_.begin() + static_cast<std::ptrdiff_t>(i) + 1;
      steps_.insert(behind, {step.cycle + accesses, step.taken});
    }
    ++steps_[i].taken;
    end = steps_[i + 1].cycle;
    accesses -= end - step.cycle;
  }
  return end;
}

int SramPorts::open(std::int64_t now, std::int64_t accesses) {
  advance(now);
  turns_.streams.push_back({next_number_, accesses, now_});
  return next_number_++;
}

std::int64_t SramPorts::served(int stream, std::int64_t now) {
  advance(now);
  if (turns_.find(stream)->left == 0) return turns_.find(stream)->end;
  Turns ahead = turns_;
  for (std::size_t i = 0; ahead.find(stream)->left != 0; ++i) {
    const std::int64_t free = ports_ - steps_[i].taken;
    std::int64_t to = never;
    if (i + 1 < steps_.size()) {
      to = steps_[i + 1].cycle;
    } else {
      std::int64_t left = 0;
      for (const Stream& other : ahead.streams) left += other.left;
      to = steps_[i].cycle + ceil_divide(left, free);
    }
    ahead.deal(steps_[i].cycle, to, free);
  }
  return ahead.find(stream)->end;
}

void SramPorts::close(int stream, std::int64_t now) {
  advance(now);
  auto& streams = turns_.streams;
  const auto closed = turns_.find(stream);
  if (closed - streams.begin() < static_cast<std::ptrdiff_t>(turns_.next)) --turns_.next;
  streams.erase(closed);
}

void SramPorts::advance(std::int64_t now) {
  if (now <= now_) return;
  std::size_t past = 0;
  for (;; ++past) {
    const bool last = past + 1 == steps_.size() || steps_[past + 1].cycle > now;
    turns_.deal(steps_[past].cycle, last ? now : steps_[past + 1].cycle,
                ports_ - steps_[past].taken);
    if (last) break;
  }
  steps_.erase(steps_.begin(), steps_.begin() + static_cast<std::ptrdiff_t>(past));
  steps_.front().cycle = now;
  now_ = now;
}

std::vector<SramPorts::Stream>::const_iterator SramPorts::Turns::find(int number) const {
  return std::find_if(streams.begin(), streams.end(),
                      [number](const Stream& s) { return s.number == number; });
}

void SramPorts::Turns::deal(std::int64_t from, std::int64_t to, std::int64_t free) {
  const std::int64_t slots = free * (to - from);
  std::int64_t dealt = 0;
  while (dealt < slots) {
    std::int64_t waiting = 0;
    std::int64_t least = never;
    for (const Stream& stream : streams) {
      if (stream.left == 0) continue;
      ++waiting;
      least = std::min(least, stream.left);
    }
    if (waiting == 0) return;
    // Whole rounds at once; at the end of the stretch, and where a stream ends, one by one.
    const std::int64_t rounds = std::min((slots - dealt) / waiting, least - 1);
    if (rounds > 0) {
      for (Stream& stream : streams) {
        if (stream.left != 0) stream.left -= rounds;
      }
      dealt += rounds * waiting;
    }
    for (std::int64_t i = 0; i < waiting && dealt < slots; ++i) {
      while (streams[next % streams.size()].left == 0) ++next;
      Stream& stream = streams[next++ % streams.size()];
      ++dealt;
      if (--stream.left == 0) stream.end = from + ceil_divide(dealt, free);
      next %= streams.size();
    }
  }
}

}  // namespace abacus::models
