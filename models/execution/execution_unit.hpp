// What the load, compute and store units have in common: a queue of commands, filled by the
// sequencer, executed one at a time and in order as soon as their tokens are there.
//
// Parameters: queue depth (HardwareConfig::command_queue, commands).
// Time: a command starts at the moment its tokens are there and its predecessor has ended; how long
// it takes is the derived unit's affair. Queue and tokens cost no time of their own.
// Function: the derived unit's execute().
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <systemc>
#include <utility>

#include "models/context.hpp"
#include "models/execution/token_counters.hpp"
#include "tlm/command.hpp"

namespace abacus::models {

// Thrown by execute() (or by a check before it) where a command cannot be carried out: malformed
// fields, an address outside the memory, an error response from the bus. The unit stops, and the
// sequencer ends the program with status_error. Says what was found and what is allowed.
class CommandError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct CommandFailure {
  std::uint32_t index;  // of the command in the program
  std::string message;
};

// −1 where the command serves no layer.
inline int layer_of(const hw::Command& command) {
  return command.layer == hw::no_layer ? -1 : static_cast<int>(command.layer);
}

class ExecutionUnit : public sc_core::sc_module {
 public:
  // unit: whose the time without a command is before the first one has come.
  ExecutionUnit(const sc_core::sc_module_name& name, Context& context, TokenCounters& tokens,
                int queue_depth, Unit unit);

  // The sequencer's side -------------------------------------------------------------------------

  bool full() const { return queue_.size() >= static_cast<std::size_t>(queue_depth_); }
  // Nothing queued, nothing executing.
  bool idle() const { return queue_.empty() && !state_.executing; }
  // Not executing, and the command at the head lacks tokens.
  bool blocked() const {
    return !state_.executing && !queue_.empty() && !tokens_.available(queue_.front().command.wait);
  }
  // Index of the command at the queue's head; only while blocked().
  std::uint32_t head() const { return queue_.front().index; }

  // Appends a command; `index` is its place in the program. Not while full().
  void push(const hw::Command& command, std::uint32_t index);

  // Executes the command at the head on the caller's thread, if there is one and its tokens are
  // there; returns whether it did. The unit's own thread does this by itself. At the functional
  // level, where nothing waits, the sequencer calls it and so spares the changes of thread.
  bool step();

  // Told of each command that was carried out, by its place in the program, before its tokens are
  // raised: what it wrote stands untouched then. Must take no time. One observer; an empty one is none.
  void observe(std::function<void(std::uint32_t)> ended) { ended_ = std::move(ended); }

  // Drops all queued commands (a failed program); the executing one still ends.
  void flush();
  // Doorbell: forgets failure and busy time.
  void reset();
  // The program has ended: what has passed since the last command is ascribed to that.
  void drain();

  // For traces of signals.
  struct State {
    bool executing = false;
    int queued = 0;  // commands
    int layer = -1;  // of the command that is, or was last, executed; −1: none
  };
  const State& state() const { return state_; }

  const std::optional<CommandFailure>& failure() const { return failure_; }
  // Notified when a queue place becomes free, when a command ends or fails, and when the head
  // starts to wait for tokens.
  const sc_core::sc_event& progress() const { return progress_; }
  // Time spent executing since reset(), by the unit that the timeline shows.
  const sc_core::sc_time& busy(Unit unit) const { return busy_[static_cast<std::size_t>(unit)]; }

 protected:
  // Does the function of the command and, at timed levels (context().timed()), waits for its time;
  // at the functional level it must not wait. Throws CommandError for commands that cannot be
  // carried out, before it has changed anything. Called in the unit's thread (or the sequencer's,
  // see step()). Counts actions, but neither idle cycles (the sequencer does) nor the timeline
  // (this class does).
  virtual void execute(const hw::Command& command) = 0;
  // Which row of the timeline the command belongs to.
  virtual Unit unit_of(const hw::Command& command) const = 0;

  Context& context() { return context_; }
  const Context& context() const { return context_; }
  // Ascribes so much of the executing command's time to a cause; what is left in the end is work. At
  // timed levels only.
  void spend(Cause cause, const sc_core::sc_time& time);
  // Adds to the stalled time of the executing command's timeline entry.
  void add_stalled(const sc_core::sc_time& time) { stalled_ += time; }

 private:
  struct Queued {
    hw::Command command;
    std::uint32_t index;
  };
  void run();
  // Ascribes the time since the last one, up to now.
  void waited(Cause cause, int layer);

  Context& context_;
  TokenCounters& tokens_;
  int queue_depth_;
  std::deque<Queued> queue_;
  sc_core::sc_time stalled_;
  sc_core::sc_time accounted_;  // until then
  Unit unit_;                   // of the command that is, or was last, under way or awaited
  State state_;
  std::array<sc_core::sc_time, unit_count> busy_;
  std::optional<CommandFailure> failure_;
  std::function<void(std::uint32_t)> ended_;
  sc_core::sc_event pushed_{"pushed"};
  sc_core::sc_event progress_{"progress"};
};

}  // namespace abacus::models
