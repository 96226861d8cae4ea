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

void TokenCounters::raise(std::uint16_t mask) {
  if (mask == 0) return;
  for (int i = 0; i < hw::token_counters; ++i) {
    if ((mask >> i & 1) != 0) ++counters_[static_cast<std::size_t>(i)];
  }
  announce();
}

void TokenCounters::reset() {
  counters_.fill(0);
  announce();
}

// Before the simulation starts nobody waits, and SystemC refuses immediate notifications.
void TokenCounters::announce() {
  if (sc_core::sc_is_running()) changed_.notify();
}

}  // namespace abacus::models
