#include "models/execution/token_counters.hpp"

namespace abacus::models {

bool TokenCounters::available(std::uint16_t mask) const {
  for (int i = 0; i < hw::token_counters; ++i) {
    if ((mask >> i & 1) != 0 && counters_[static_cast<std::size_t>(i)] == 0) return false;
  }
  return true;
}

bool TokenCounters::take(std::uint16_t mask) {
  if (mask == 0) return true;
  if (!available(mask)) return false;
  for (int i = 0; i < hw::token_counters; ++i) {
    if ((mask >> i & 1) != 0) --counters_[static_cast<std::size_t>(i)];
  }
  return true;
}

void TokenCounters::raise(std::uint16_t mask, Unit by) {
  if (mask == 0) return;
  ++raises_;
  for (int i = 0; i < hw::token_counters; ++i) {
    if ((mask >> i & 1) == 0) continue;
    ++counters_[static_cast<std::size_t>(i)];
    raised_[static_cast<std::size_t>(i)] = {by, raises_};
  }
  announce();
}

Unit TokenCounters::last_raised_by(std::uint16_t mask) const {
  Raise last;
  for (int i = 0; i < hw::token_counters; ++i) {
    const Raise& raise = raised_[static_cast<std::size_t>(i)];
    if ((mask >> i & 1) != 0 && raise.number >= last.number) last = raise;
  }
  return last.by;
}

void TokenCounters::reset() {
  counters_.fill(0);
  raised_.fill({});
  announce();
}

// Before the simulation starts nobody waits, and SystemC refuses immediate notifications.
void TokenCounters::announce() {
  if (sc_core::sc_is_running()) changed_.notify();
}

}  // namespace abacus::models
