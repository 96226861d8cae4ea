#include "models/execution/execution_unit.hpp"

namespace abacus::models {
namespace {

Cause token_of(Unit unit) {
  if (unit == Unit::load) return Cause::token_load;
  return unit == Unit::store ? Cause::token_store : Cause::token_compute;
}

}  // namespace

ExecutionUnit::ExecutionUnit(const sc_core::sc_module_name& name, Context& context,
                             TokenCounters& tokens, int queue_depth, Unit unit)
    : sc_module(name), context_(context), tokens_(tokens), queue_depth_(queue_depth), unit_(unit) {
  SC_HAS_PROCESS(ExecutionUnit);
  SC_THREAD(run);
}

void ExecutionUnit::push(const hw::Command& command, std::uint32_t index) {
  sc_assert(!full());
  if (idle()) {
    unit_ = unit_of(command);
    waited(Cause::commands, layer_of(command));
  }
  queue_.push_back({command, index});
  ++state_.queued;
  if (sc_core::sc_is_running()) pushed_.notify();  // before, the thread has not looked yet
}

bool ExecutionUnit::step() {
  if (state_.executing || failure_ || queue_.empty()) return false;
  if (!tokens_.take(queue_.front().command.wait)) return false;
  const Queued entry = queue_.front();
  queue_.pop_front();
  --state_.queued;
  state_.executing = true;
  unit_ = unit_of(entry.command);
  state_.layer = layer_of(entry.command);
  waited(token_of(tokens_.last_raised_by(entry.command.wait)), state_.layer);
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
  state_.executing = false;

  if (context_.timed()) {
    const sc_core::sc_time end = sc_core::sc_time_stamp();
    waited(Cause::work, state_.layer);
    context_.timeline.push_back({unit_, state_.layer, start, end, stalled_});
    busy_[static_cast<std::size_t>(unit_)] += end - start;
    if (ended && context_.sink != nullptr) {
      context_.sink->executed(unit_, entry.index, entry.command, start, end);
    }
  }
  if (ended) {
    if (ended_) ended_(entry.index);
    tokens_.raise(entry.command.signal, unit_);
  }
  progress_.notify();
  return true;
}

void ExecutionUnit::flush() {
  queue_.clear();
  state_.queued = 0;
}

void ExecutionUnit::reset() {
  failure_.reset();
  busy_.fill(sc_core::SC_ZERO_TIME);
  accounted_ = sc_core::sc_time_stamp();
}

void ExecutionUnit::drain() { waited(Cause::drained, -1); }

void ExecutionUnit::spend(Cause cause, const sc_core::sc_time& time) {
  if (time == sc_core::SC_ZERO_TIME) return;
  context_.spend(state_.layer, unit_, cause, accounted_, accounted_ + time);
  accounted_ += time;
}

void ExecutionUnit::waited(Cause cause, int layer) {
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  if (!context_.timed() || now <= accounted_) return;
  context_.spend(layer, unit_, cause, accounted_, now);
  accounted_ = now;
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
