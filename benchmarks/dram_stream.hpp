// Requests at a DRAM controller's port, as many under way as it takes to keep its queue full; no bus, no DMA.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/memory/dram_scheduler.hpp"
#include "models/memory/dram_timing.hpp"

namespace abacus::benchmarks {

struct DramRequest {
  std::uint64_t address;
  std::uint64_t bytes;
  bool write;
};

struct DramStreamResult {
  std::uint64_t picoseconds = 0;  // from the first request to the last data
  std::uint64_t bytes = 0;
  std::vector<models::DramCommand> commands;
  double gigabytes_a_second() const {
    return picoseconds == 0 ? 0
                            : static_cast<double>(bytes) * 1e3 / static_cast<double>(picoseconds);
  }
};

// `next(i)`: the i-th request. `outstanding` of them are under way; a further one comes with an answer, `gap(i)` ps
// after it.
inline DramStreamResult dram_stream(
    const hw::DramConfig& config, int requests, int outstanding,
    const std::function<DramRequest(int)>& next,
    const std::function<std::uint64_t(int)>& gap = [](int) { return 0; }) {
  DramStreamResult result;
  if (config.controller == "in-order") {
    models::DramTiming dram(config);
    dram.log_to(&result.commands);
    std::vector<std::uint64_t> completed;
    std::uint64_t arrival = 0;
    for (int i = 0; i < requests; ++i) {
      if (i >= outstanding)
        arrival = std::max(arrival, completed[static_cast<std::size_t>(i - outstanding)] + gap(i));
      const DramRequest r = next(i);
      completed.push_back(dram.access(arrival, r.address, r.bytes, r.write).completed);
      result.picoseconds = std::max(result.picoseconds, completed.back());
      result.bytes += r.bytes;
    }
    return result;
  }
  models::DramScheduler dram(config);
  dram.log_to(&result.commands);
  std::vector<models::DramScheduler::Answer> answers;
  std::vector<int> activates;
  std::vector<std::uint64_t> due(static_cast<std::size_t>(std::min(requests, outstanding)), 1);
  int pushed = 0;
  std::uint64_t latest = 0;
  // What comes is told before its time, as a bus does.
  const auto push = [&](std::uint64_t arrival) {
    const DramRequest r = next(pushed);
    dram.push(arrival, {static_cast<std::uint64_t>(pushed), -1, r.address, r.bytes, r.write});
    result.bytes += r.bytes;
    ++pushed;
  };
  for (const std::uint64_t at : due) push(at);
  while (dram.next() != models::DramScheduler::never) {
    const std::uint64_t now = dram.next();
    answers.clear();
    dram.advance(now, answers, activates);
    for (const auto& answer : answers) {
      result.picoseconds = std::max(result.picoseconds, answer.service.completed);
      latest = std::max(latest, std::max(answer.service.completed, now + 1));
      if (pushed < requests) push(std::max(answer.service.completed, now + 1) + gap(pushed));
    }
  }
  // Writes are answered before their data have moved.
  for (const models::DramCommand& command : result.commands) {
    if (command.kind != models::DramCommand::Kind::write) continue;
    const auto end =
        command.time + static_cast<std::uint64_t>((config.t_cwl + config.burst_ns()) * 1e3);
    result.picoseconds = std::max(result.picoseconds, end);
  }
  return result;
}

// Random numbers that are the same everywhere (Knuth, MMIX).
class DramDice {
 public:
  explicit DramDice(std::uint64_t seed) : state_(seed * 2862933555777941757u + 3037000493u) {}
  std::uint64_t below(std::uint64_t n) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % n;
  }

 private:
  std::uint64_t state_;
};

}  // namespace abacus::benchmarks
