#include "sw/schedule/dependency_tracker.hpp"

#include <algorithm>
#include <stdexcept>

namespace abacus::schedule {
namespace {

std::uint16_t counter_bit(int counter) { return static_cast<std::uint16_t>(1u << counter); }

std::size_t place(const MemoryAccess& access) { return static_cast<std::size_t>(access.memory); }

int counter_between(std::size_t from, std::size_t to) {
  constexpr int none = -1;
  constexpr int counters[3][3] = {{none, load_to_compute, load_to_store},
                                  {compute_to_load, none, compute_to_store},
                                  {store_to_load, store_to_compute, none}};
  return counters[from][to];
}

}  // namespace

void DependencyTracker::add(CommandUnit execution_unit, hw::Command command,
                            const std::vector<MemoryAccess>& accesses) {
  const std::size_t unit = static_cast<std::size_t>(execution_unit);
  Progress known = known_[unit].empty() ? Progress{} : known_[unit].back();
  known[unit] = static_cast<int>(positions_[unit].size());
  known_[unit].push_back(known);
  positions_[unit].push_back(commands_.size());

  Progress needed{};
  for (const MemoryAccess& access : accesses) {
    for (const Record& record : records_[place(access)]) {
      const bool conflict = record.unit != unit && (record.access.write || access.write) &&
                            record.access.range.overlaps(access.range);
      if (conflict) needed[record.unit] = std::max(needed[record.unit], record.number);
    }
  }
  for (std::size_t other = 0; other < units; ++other) {
    if (!implied(other, needed)) wait_for(unit, other, needed[other], command);
  }
  const int number = static_cast<int>(positions_[unit].size());
  for (const MemoryAccess& access : accesses)
    records_[place(access)].push_back({access, unit, number});
  commands_.push_back(command);
  if (commands_.size() % 16 == 0) forget_settled();
}

// Whether another awaited command itself started after this one's end.
bool DependencyTracker::implied(std::size_t other, const Progress& needed) const {
  for (std::size_t via = 0; via < units; ++via) {
    if (via == other || needed[via] == 0) continue;
    if (known_[via][static_cast<std::size_t>(needed[via] - 1)][other] >= needed[other]) return true;
  }
  return false;
}

void DependencyTracker::wait_for(std::size_t unit, std::size_t other, int number,
                                 hw::Command& command) {
  Progress& known = known_[unit].back();
  if (number <= known[other]) return;
  const std::size_t index = static_cast<std::size_t>(number - 1);
  const int counter = counter_between(other, unit);
  command.wait = static_cast<std::uint16_t>(command.wait | counter_bit(counter));
  hw::Command& awaited = commands_[positions_[other][index]];
  awaited.signal = static_cast<std::uint16_t>(awaited.signal | counter_bit(counter));
  // What that command knew when it started has ended as well.
  for (std::size_t i = 0; i < units; ++i) known[i] = std::max(known[i], known_[other][index][i]);
  known[other] = std::max(known[other], number);
}

void DependencyTracker::forget_settled() {
  Progress settled{};
  for (std::size_t of = 0; of < units; ++of) {
    int least = static_cast<int>(positions_[of].size());
    for (std::size_t by = 0; by < units; ++by) {
      if (by == of) continue;
      least = std::min(least, known_[by].empty() ? 0 : known_[by].back()[of]);
    }
    settled[of] = least;
  }
  for (std::vector<Record>& records : records_) {
    records.erase(std::remove_if(records.begin(), records.end(),
                                 [&](const Record& r) { return r.number <= settled[r.unit]; }),
                  records.end());
  }
}

void DependencyTracker::add_finish() {
  const std::size_t store = static_cast<std::size_t>(CommandUnit::store);
  if (positions_[store].empty()) throw std::logic_error("a program without a store");
  hw::Command& last = commands_[positions_[store].back()];
  last.signal = static_cast<std::uint16_t>(last.signal | counter_bit(program_done));
  hw::Command finish{};
  finish.opcode = hw::Opcode::finish;
  finish.layer = hw::no_layer;
  finish.wait = counter_bit(program_done);
  commands_.push_back(finish);
}

}  // namespace abacus::schedule
