#include "models/array/array_area.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "models/elements/processing_element.hpp"
#include "tlm/dataflow.hpp"
#include "tlm/hardware_fields.hpp"

namespace abacus::models {

ArrayArea array_area(const hw::PeArrayConfig& array, const AreaTable& table) {
  const double columns = array.columns;
  const double lanes = columns * array.rows;
  const ProcessingElement& element = processing_element(array.kind);
  const int tap = element.widest_tap_bits(array);
  ArrayArea area;
  double unit = 0;
  for (const AreaUse& part : element.unit_parts(array)) unit += table.um2(part);
  area.units = lanes * unit;
  area.registers = lanes * table.um2(AreaPart::register_bits, array.weight_bits + tap) +
                   array.rows * table.um2(AreaPart::register_bits, array.activation_bits);
  for (const hw::SumLevel& level : hw::dataflow(array.dataflow).sum_levels(array.rows, tap)) {
    area.adder_trees +=
        columns * (level.additions * table.um2(AreaPart::adder, level.bits) +
                   level.registers * table.um2(AreaPart::register_bits, level.bits));
  }
  area.accumulators = columns * (table.um2(AreaPart::adder, array.accumulator_bits) +
                                 table.um2(AreaPart::register_bits, array.accumulator_bits));
  area.memories =
      lanes * table.um2(AreaPart::memory, double{1} * array.weights_per_pe * array.weight_bits);
  for (const AreaUse& part : element.column_parts(array)) {
    (part.part == AreaPart::memory ? area.memories : area.adder_trees) += columns * table.um2(part);
  }
  return area;
}

hw::PeArrayConfig largest_array(hw::PeArrayConfig array, const AreaTable& table, double um2) {
  const auto fits = [&](int rows, int columns) {
    hw::PeArrayConfig tried = array;
    tried.rows = rows;
    tried.columns = columns;
    return array_area(tried, table).total() <= um2;
  };
  int columns = 0;
  while (columns < hw::most_lanes_a_side && fits(array.rows, columns + 1)) ++columns;
  array.columns = std::max(1, columns);
  int rows = columns == 0 ? 0 : array.rows;
  while (rows < hw::most_lanes_a_side && fits(rows + 1, array.columns)) ++rows;
  if (rows == 0) {
    std::ostringstream text;
    hw::PeArrayConfig lane = array;
    lane.rows = lane.columns = 1;
    text << "one " << hw::to_string(array.kind) << " lane takes " << array_area(lane, table).total()
         << " um2; the area to be filled is " << um2 << " um2";
    throw std::runtime_error(text.str());
  }
  array.rows = rows;
  return array;
}

}  // namespace abacus::models
