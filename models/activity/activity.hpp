// What the models did, counted: the only input of the energy estimate besides the table.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace abacus::models {

enum class Component {
  pe_array,
  edge_array,
  read_quantizer,
  scale_unit,
  vector_unit,
  activation_sram,
  weight_sram,
  parameter_sram,
  dma,
  bus,
  dram,
  sequencer,
  step_adapter
};
inline constexpr int component_count = 13;
std::string to_string(Component component);  // "pe_array" …

enum class Action {
  add,                  // bits_a: width of the result
  absolute_difference,  // |a − w|: bits_a: wider operand; one subtraction and a conditional negation
  multiply,             // bits_a × bits_b
  xnor,                 // bits_a: bits compared
  shift,                // bits_a: operand
  table_read,           // bits_a: word, bits_b: entries
  element_tap,          // of a described element, which says its price: bits_a × bits_b
  buffer_read,          // of a PE's weight buffer, bits_a: word, bits_b: words that it has room for
  buffer_write,         // likewise
  register_read,        // of flip-flops, bits_a
  register_write,       // likewise
  sram_read,  // bits_a: access width; the component tells which memory, and so its capacity
  sram_write,
  dram_activate,  // one row activation (with its precharge)
  dram_read,      // bits_a: moved by one burst
  dram_write,
  dram_read_io,  // drivers and termination of the data bus, bits_a: moved by one burst
  dram_write_io,
  bus_beat,     // bits_a: data width
  clock_cycle,  // in which the block worked, bits_a: its flip-flops
  idle_cycle,   // in which it had nothing to do, likewise
  // Spent for time, counted in ns, so that a price is in mW:
  leakage,                 // of the component's parts
  dram_active_standby,     // a row is open, or a refresh is under way
  dram_precharge_standby,  // none is
  dram_power_down,         // between frames: precharged, its clock off
  dram_self_refresh,       // between frames
  dram_refresh             // one refresh of all banks, above active standby
};
inline constexpr int action_count = static_cast<int>(Action::dram_refresh) + 1;
std::string to_string(Action action);

// Spent for time alone, whatever is done in it.
bool is_static(Action action);

// Counts by layer (−1: none), component, action and operand widths.
class Activity {
 public:
  struct Key {
    int layer;
    Component component;
    Action action;
    int bits_a;
    int bits_b;
    bool operator<(const Key& o) const {
      return std::tie(layer, component, action, bits_a, bits_b) <
             std::tie(o.layer, o.component, o.action, o.bits_a, o.bits_b);
    }
  };

  void count(int layer, Component component, Action action, std::int64_t times, int bits_a,
             int bits_b = 0) {
    if (enabled_) counts_[Key{layer, component, action, bits_a, bits_b}] += times;
  }
  // Off while images run at the functional level: their counts equal those of a timed image.
  void enable(bool on) { enabled_ = on; }
  bool enabled() const { return enabled_; }
  void clear() { counts_.clear(); }
  const std::map<Key, std::int64_t>& counts() const { return counts_; }

 private:
  bool enabled_ = true;
  std::map<Key, std::int64_t> counts_;
};

}  // namespace abacus::models
