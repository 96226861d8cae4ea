// A dataflow: in which order and with which wires an array computes a tile. It is the one place that
// scheduler, cost model, compute unit and energy counting ask for cycles, residency and traffic of the
// operands, the order in which an accumulator takes its taps, actions and capacities.
//
// A new dataflow is a file in dataflows/ and its line in dataflow.cpp. None depends on
// what a tap computes (tlm/tap_kinds.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tlm/array_tile.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::hw {

// One addition to an output's accumulator, which saturates: the exact sum of neighbouring taps of its
// window. A window's taps count in the order ky, kx, channel.
struct AccumulationStep {
  int first_tap;
  int taps;
};

// What of a tile's windows lies inside the input.
struct InsideWindows {
  std::int64_t positions;  // of all windows
  std::int64_t bands;      // pixels that a row of outputs sees, each once; summed over the rows
};

// Accesses of a memory: `times` times `elements` neighbouring elements.
struct OperandAccess {
  std::int64_t elements;
  std::int64_t times;
};

// A level of the adders that make one sum of several taps' results.
struct SumLevel {
  int bits;       // of the level's results
  int additions;  // a sum
  int registers;  // results that wait for the next level, a sum
};

// What a tile makes the parts of the array do.
struct ArrayActions {
  // Sums over that many taps, from the lanes to an accumulator.
  struct Sums {
    int lanes;
    std::int64_t times;
  };
  std::int64_t taps = 0;
  std::int64_t activation_registers = 0;  // written
  std::int64_t weight_registers = 0;      // written: weights that pass
  std::int64_t weight_buffer_reads = 0;   // weights that wait in their PEs
  std::int64_t weight_buffer_writes = 0;  // of a fill
  std::vector<Sums> sums;
};

class Dataflow {
 public:
  virtual ~Dataflow() = default;
  Dataflow() = default;
  Dataflow(const Dataflow&) = delete;
  Dataflow& operator=(const Dataflow&) = delete;

  // In scenarios.
  virtual std::string_view name() const = 0;

  // Capacities ------------------------------------------------------------------------------------

  // Whether a window's positions take rows where channels leave them free: the order of accumulation
  // is another then (docs/arithmetic.md).
  virtual bool packs_windows() const = 0;
  // Registers of an activation each.
  virtual std::int64_t activation_registers(const PeArrayConfig& array) const = 0;
  // Output channels that a tile may have.
  virtual int most_columns(const PeArrayConfig& array, bool depthwise) const = 0;
  // True if the PEs keep the weights that they need for the whole tile; else these come from the weight
  // SRAM again and again while it computes.
  virtual bool weights_stay(const PeArrayConfig& array, const ArrayTile& tile) const = 0;

  // Time, in cycles -------------------------------------------------------------------------------

  // From the first operands to the last ones, where no memory makes the array wait.
  virtual std::int64_t issue_cycles(const PeArrayConfig& array, const ArrayTile& tile) const = 0;
  // From the last operands to the last accumulator.
  virtual int pipeline_depth(const PeArrayConfig& array) const = 0;
  // Weights being there.
  std::int64_t cycles(const PeArrayConfig& array, const ArrayTile& tile) const {
    return issue_cycles(array, tile) + pipeline_depth(array);
  }

  // Traffic between the array and the on-chip memories --------------------------------------------

  // Elements are neighbouring channels of a pixel. All of them pass the read quantizer.
  virtual std::vector<OperandAccess> activation_reads(const PeArrayConfig& array,
                                                      const ArrayTile& tile,
                                                      const InsideWindows& inside) const = 0;
  // How often all of the tile's weights come from the weight SRAM while it computes; 0 where they stay.
  virtual std::int64_t weight_passes(const PeArrayConfig& array, const ArrayTile& tile) const = 0;
  // Of results (and of residuals, which are read likewise).
  virtual OperandAccess output_writes(const PeArrayConfig& array, const ArrayTile& tile) const = 0;

  // Function --------------------------------------------------------------------------------------

  // How the accumulator of one output comes to its value, the same for every output.
  virtual std::vector<AccumulationStep> accumulation_order(const PeArrayConfig& array,
                                                           const ArrayTile& tile) const = 0;

  // Actions ---------------------------------------------------------------------------------------

  // filled: the tile's weights were written into the PEs' buffers before it.
  virtual ArrayActions actions(const PeArrayConfig& array, const ArrayTile& tile,
                               bool filled) const = 0;
  // The adders between `lanes` taps' results and an accumulator. With all rows: what a column is built of.
  virtual std::vector<SumLevel> sum_levels(int lanes, int tap_bits) const = 0;
};

// Of an array's `dataflow`. Throws std::invalid_argument naming the text and the allowed names.
const Dataflow& dataflow(const std::string& name);
const std::vector<std::string>& dataflow_names();

}  // namespace abacus::hw
