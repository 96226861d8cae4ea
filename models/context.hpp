// What every hardware model shares: the clock, the level of timing, and where it writes down what
// it did.
#pragma once

#include <cstdint>
#include <functional>
#include <systemc>
#include <utility>
#include <vector>

#include "models/activity/activity.hpp"
#include "models/activity/spent_time.hpp"
#include "models/activity/trace_sink.hpp"
#include "models/activity/unit.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

// One command's execution, from the moment its tokens were there. Time spent waiting for memory
// inside it counts as busy and, apart from that, as stalled.
struct TimelineEntry {
  Unit unit;
  int layer;
  sc_core::sc_time start;
  sc_core::sc_time end;
  sc_core::sc_time stalled;  // part of [start, end) lost to SRAM, bus or DRAM contention
};

// What step adapters had to saturate: β below or above its range, the read multiplier that it gives,
// multipliers of output channels.
struct StepSaturations {
  std::int64_t underflows = 0;
  std::int64_t overflows = 0;
  std::int64_t read = 0;
  std::int64_t multipliers = 0;

  StepSaturations& operator+=(const StepSaturations& o) {
    underflows += o.underflows;
    overflows += o.overflows;
    read += o.read;
    multipliers += o.multipliers;
    return *this;
  }
};

class Context {
 public:
  Context(const hw::HardwareConfig& config, hw::TimingLevel level)
      : cycle_(1e3 / config.clock_mhz, sc_core::SC_NS) {
    set_level(level);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const sc_core::sc_time& cycle() const { return cycle_; }
  sc_core::sc_time cycles(double n) const { return cycle_ * n; }
  // May change between programs, never while one runs.
  hw::TimingLevel level() const { return level_; }
  void set_level(hw::TimingLevel level) {
    level_ = level;
    activity.enable(level != hw::TimingLevel::functional);
  }
  bool timed() const { return level_ != hw::TimingLevel::functional; }

  // Models whose time depends on their past (open DRAM rows, refresh) start afresh with each
  // program, so that its cycles do not depend on when it runs and what ran before.
  void on_program_start(std::function<void()> start_afresh) {
    program_starts_.push_back(std::move(start_afresh));
  }
  // Called at the doorbell.
  void start_program() {
    for (const auto& start_afresh : program_starts_) start_afresh();
  }

  // Models that spend energy for time alone count it when a program has ended, at timed levels.
  void on_program_end(std::function<void()> count) { program_ends_.push_back(std::move(count)); }
  // Called at the interrupt.
  void end_program() {
    for (const auto& count : program_ends_) count();
  }

  // Models that keep counts of their own (LayerCounts) hand them over to `activity` when asked.
  void on_settle(std::function<void(Activity&)> hand_over) {
    hand_overs_.push_back(std::move(hand_over));
  }
  // Called when a program has ended, and after each access of the host; until then `activity` may
  // lack what is under way.
  void settle() {
    for (const auto& hand_over : hand_overs_) hand_over(activity);
  }

  Activity activity;                    // cleared by whoever reads it
  std::vector<TimelineEntry> timeline;  // written at timed levels only, as is `spent`
  SpentTime spent;

  // Adds to `spent`, and tells the sink.
  void spend(int layer, Unit unit, Cause cause, const sc_core::sc_time& from,
             const sc_core::sc_time& to) {
    spent.add(layer, unit, cause, (to - from).value());
    if (sink != nullptr) sink->spent(unit, layer, cause, from, to);
  }
  TraceSink* sink = nullptr;  // not owned; null: nobody looks
  std::int64_t accumulator_saturations = 0;
  std::vector<std::int64_t> saturations_by_layer;          // grown on demand
  std::vector<StepSaturations> step_saturations_by_layer;  // grown on demand

  StepSaturations& step_saturations(int layer) {
    const auto index = static_cast<std::size_t>(layer < 0 ? 0 : layer);
    if (step_saturations_by_layer.size() <= index) step_saturations_by_layer.resize(index + 1);
    return step_saturations_by_layer[index];
  }

 private:
  sc_core::sc_time cycle_;
  hw::TimingLevel level_{};
  std::vector<std::function<void()>> program_starts_;
  std::vector<std::function<void()>> program_ends_;
  std::vector<std::function<void(Activity&)>> hand_overs_;
};

}  // namespace abacus::models
