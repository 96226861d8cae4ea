#include "models/execution/execution_unit.hpp"

namespace abacus::models {

ExecutionUnit::ExecutionUnit(const sc_core::sc_module_name& name, Context& context,
                             TokenCounters& tokens, int queue_depth)
    : sc_module(name), context_(context), tokens_(tokens), queue_depth_(queue_depth) {
  SC_HAS_PROCESS(ExecutionUnit);
  SC_THREAD(run);
}

void ExecutionUnit::push(const hw::Command& command, std::uint32_t index) {
  sc_assert(!full());
  queue_.push_back({command, index});
  if (sc_core::sc_is_running()) pushed_.notify();  // before, the thread has not looked yet
}

bool ExecutionUnit::step() {
  if (executing_ || failure_ || queue_.empty()) return false;
  if (!tokens_.take(queue_.front().command.wait)) return false;
  const Queued entry = queue_.front();
  queue_.pop_front();
  executing_ = true;
  progress_.notify();  // a place in the queue

  const sc_core::sc_time start = sc_core::sc_time_stamp();
  stalled_ = sc_core::SC_ZERO_TIME;
  bool ended = true;
  try {
    execute(entry.command);
  } catch (const CommandError& error) {
    ended = false;
    if (!failure_) failure_ = CommandFailure{entry.index, error.what()};
  }
  executing_ = false;

  if (context_.timed()) {
    const sc_core::sc_time end = sc_core::sc_time_stamp();
    const Unit unit = unit_of(entry.command);
    context_.timeline.push_back({unit, layer_of(entry.command), start, end, stalled_});
    busy_[static_cast<std::size_t>(unit)] += end - start;
  }
  if (ended) {
    if (ended_) ended_(entry.index);
    tokens_.raise(entry.command.signal);
  }
  progress_.notify();
  return true;
}

void ExecutionUnit::flush() { queue_.clear(); }

void ExecutionUnit::reset() {
  failure_.reset();
  busy_.fill(sc_core::SC_ZERO_TIME);
}

void ExecutionUnit::run() {
  for (;;) {
    if (queue_.empty() || failure_) {
      wait(pushed_);  // after a failure the sequencer drops what is queued
    } else if (!step()) {
      progress_.notify();  // the sequencer looks whether anybody can still raise the tokens
      wait(tokens_.changed());
    }
  }
}

}  // namespace abacus::models
