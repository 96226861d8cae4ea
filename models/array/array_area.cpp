#include "models/array/array_area.hpp"

#include "models/array/array_parts.hpp"

namespace abacus::models {

ArrayArea array_area(const hw::PeArrayConfig& array, const AreaTable& table) {
  const ArrayParts parts = array_parts(array);
  ArrayArea area;
  area.units = table.um2(parts.units);
  area.registers = table.um2(parts.registers);
  area.adder_trees = table.um2(parts.adder_trees);
  area.accumulators = table.um2(parts.accumulators);
  area.memories = table.um2(parts.memories);
  return area;
}

}  // namespace abacus::models
