// Area of a PE array, from its kind, size and widths: the parts whose actions PeArray counts, each built
// for the widest operands that the array takes. What is in a lane and its column is the processing
// element's to say (models/elements).
//
//   part           in            what
//   units          a lane        adder: 2 adders of the wider operand (a subtraction and a conditional
//                                negation, as its energy); mac: a multiplier; xnor: a bitwise operator;
//                                shift, post: a shifter of activation + fraction bits; apot: two of
//                                them and an adder of the tap's width; shift-add: an adder's and a
//                                shift's; table: the described element, by its own area
//   registers      a lane        the weight in use, the tap between unit and tree; and of each row an
//                                activation, which serves all columns
//   adder trees    a column      adders and pipeline registers, level by level, a bit wider each;
//                                xnor: the addition that doubles the count
//   accumulators   a column      an adder and a register of accumulator_bits
//   memories       a lane        weights_per_pe weights; post: its share of a lookup table. Only where
//                                the table file has [area.memory]; else 0
//
// The scale unit, the read quantizer and the SRAMs are the same for every kind and are left out.
#pragma once

#include "models/area/area_table.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

struct ArrayArea {  // µm²
  double units = 0;
  double registers = 0;
  double adder_trees = 0;
  double accumulators = 0;
  double memories = 0;

  double total() const { return units + registers + adder_trees + accumulators + memories; }
};

ArrayArea array_area(const hw::PeArrayConfig& array, const AreaTable& table);

// The array with as many columns as fit into `um2` with its own number of rows, and then as many rows
// as fit with that number of columns; fewer rows than its own only where not even one column fits.
// Throws std::runtime_error where one lane is too large.
hw::PeArrayConfig largest_array(hw::PeArrayConfig array, const AreaTable& table, double um2);

}  // namespace abacus::models
