// What the time of one transfer goes into, from the phases of its bursts' transactions.
//
// Data of the transfer on the bus is work. A moment without any is ascribed to what held up the burst that
// is delivered next: the phase that it was in (tlm/transaction.hpp), or, before it was issued, the SRAM's
// pace. What follows the last delivery is the SRAM's, too.
#pragma once

#include <deque>
#include <systemc>
#include <vector>

#include "models/activity/spent_time.hpp"
#include "tlm/transaction.hpp"

namespace abacus::models {

class TransferAccount {
 public:
  struct Interval {
    Cause cause;
    sc_core::sc_time time;
  };

  // sram: the cause that its ports are.
  void begin(const sc_core::sc_time& now, Cause sram);
  // A burst's request is made. `tag` stays valid until delivered().
  void issued(const hw::TransactionTag& tag, bool write, const sc_core::sc_time& now);
  // The response has arrived. Bursts are delivered in any order.
  void delivered(const hw::TransactionTag& tag, const sc_core::sc_time& now);
  // All is done. latency: of what was waited for since the last delivery, the SRAM's latency and its own
  // accesses; more than that is waiting for its ports.
  void end(const sc_core::sc_time& now, const sc_core::sc_time& latency);

  // From begin() to end(), without a gap; neighbours differ.
  const std::vector<Interval>& intervals() const { return intervals_; }

 private:
  void add(Cause cause, const sc_core::sc_time& until);
  // Up to `until`, by the phases of a burst.
  void add_phases(const hw::TransactionTag& tag, const sc_core::sc_time& until);

  std::vector<Interval> intervals_;
  sc_core::sc_time accounted_;  // until then
  Cause sram_ = Cause::activation_sram;
  bool started_ = false;                          // a burst was issued
  std::deque<const hw::TransactionTag*> writes_;  // under way, in the order of issue
};

}  // namespace abacus::models
