// What a PE array is built of, from its kind, size and widths: the parts whose actions PeArray counts,
// each built for the widest operands that the array takes. What is in a lane and its column is the
// processing element's to say (models/elements).
//
//   part           in            what
//   units          a lane        adder: 2 adders of the wider operand (a subtraction and a conditional
//                                negation, as its energy); mac: a multiplier; xnor: a bitwise operator;
//                                shift, post: a shifter of activation + fraction bits; apot: two of
//                                them and an adder of the tap's width; shift-add: an adder's and a
//                                shift's; table: the described element, by its own area
//   registers      a lane        the weight in use (with several accumulators the next one, too), the tap between unit and tree; with zero gating a
//                                bit that holds the unit's operands; and of each row an activation,
//                                which serves all columns
//   adder trees    a column      adders and pipeline registers, level by level, a bit wider each;
//                                xnor: the addition that doubles the count
//   accumulators   a column      an adder and a register of accumulator_bits; several: a memory of them
//   memories       a lane        weights_per_pe weights; post: its share of a lookup table
#pragma once

#include <vector>

#include "models/area/area_part.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

struct ArrayParts {
  std::vector<AreaUse> units;
  std::vector<AreaUse> registers;
  std::vector<AreaUse> adder_trees;
  std::vector<AreaUse> accumulators;
  std::vector<AreaUse> memories;

  std::vector<AreaUse> all() const;
};

ArrayParts array_parts(const hw::PeArrayConfig& array);

}  // namespace abacus::models
