// Where the time of the units goes: into work, or into waiting for something that has a name.
//
// Between a program's doorbell and its interrupt every moment of load unit, store unit, sequencer and
// compute unit (its four units together) belongs to exactly one cause.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/activity/unit.hpp"

namespace abacus::models {

enum class Cause {
  work,  // array: issues; vector unit, step adapter: computes; DMA: data on the bus; sequencer: hands over

  // No command is under way.
  commands,       // the queue is empty, the next command has not come
  token_load,     // the command waits for a token which the load unit raised,
  token_compute,  // the compute unit
  token_store,    // or the store unit
  drained,        // the program has nothing left for the unit; sequencer: only the end is awaited

  // A compute command is under way.
  weight_fill,  // weights into the PEs, parameters into the scale unit, before the array issues
  pipeline,  // memory latency, read quantizer and adder tree, before the first and after the last
  lookup_table,     // ports of the POST lookup tables
  scale_unit,       // which takes longer than the array
  activation_sram,  // ports that others use, or too few of them; DMA, too
  weight_sram,
  parameter_sram,

  // A transfer is under way, no data of it on the bus, and the oldest burst is held up by:
  bus_request,   // arbitration and the address
  bus_response,  // the way back, and the channel that others use
  dram_queue,    // requests before it
  dram_refresh,
  dram_row,         // precharge and activation
  dram_turnaround,  // of the data bus, between reads and writes
  dram_latency,     // from column command to data
  dram_transfer,    // the device's data bus moves it

  // The sequencer holds a command, or awaits it.
  fetch,
  queue_load,  // the queue is full
  queue_compute,
  queue_store
};
inline constexpr int cause_count = static_cast<int>(Cause::queue_store) + 1;
std::string to_string(Cause cause);  // as in results files

class SpentTime {
 public:
  using Ticks = std::uint64_t;  // of SystemC's time resolution
  using Row = std::array<std::array<Ticks, cause_count>, unit_count>;

  // layer: −1 where it belongs to none.
  void add(int layer, Unit unit, Cause cause, Ticks ticks) {
    const auto index = static_cast<std::size_t>(layer + 1);
    if (rows_.size() <= index) rows_.resize(index + 1);
    rows_[index][static_cast<std::size_t>(unit)][static_cast<std::size_t>(cause)] += ticks;
  }
  void clear() { rows_.clear(); }
  // Of layer i − 1.
  const std::vector<Row>& rows() const { return rows_; }

 private:
  std::vector<Row> rows_;
};

}  // namespace abacus::models
