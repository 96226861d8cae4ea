// The dependency tokens through which load, compute and store wait for one another (see
// command.hpp): 16 counters that any unit may raise or take from. Taking and raising cost no time.
#pragma once

#include <array>
#include <cstdint>
#include <systemc>

#include "models/activity/unit.hpp"
#include "tlm/command.hpp"

namespace abacus::models {

class TokenCounters {
 public:
  // Whether each counter in `mask` is above 0.
  bool available(std::uint16_t mask) const;
  // Takes one token from each counter in `mask` and returns true, or takes nothing and returns
  // false where one of them is 0.
  bool take(std::uint16_t mask);
  // Adds one token to each counter in `mask`; `by` is the unit that does.
  void raise(std::uint16_t mask, Unit by);
  // Who raised one of these counters last; load, where nobody has.
  Unit last_raised_by(std::uint16_t mask) const;
  // At the doorbell: all counters 0. Wakes whoever waits on changed().
  void reset();
  const int& count(int counter) const { return counters_[static_cast<std::size_t>(counter)]; }
  const sc_core::sc_event& changed() const { return changed_; }

 private:
  void announce();

  struct Raise {
    Unit by = Unit::load;
    std::uint64_t number = 0;  // among all raises
  };
  std::array<int, hw::token_counters> counters_{};
  std::array<Raise, hw::token_counters> raised_{};
  std::uint64_t raises_ = 0;
  sc_core::sc_event changed_{"tokens_changed"};
};

}  // namespace abacus::models
