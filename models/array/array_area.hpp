// Area of a PE array: its parts (array_parts.hpp) times a table.
#pragma once

#include "models/area/area_table.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

struct ArrayArea {  // µm²
  double units = 0;
  double registers = 0;
  double adder_trees = 0;
  double accumulators = 0;
  double memories = 0;  // 0 where the table has no [area.memory]

  double total() const { return units + registers + adder_trees + accumulators + memories; }
};

ArrayArea array_area(const hw::PeArrayConfig& array, const AreaTable& table);

}  // namespace abacus::models
