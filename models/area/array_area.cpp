#include "models/area/array_area.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "models/array/bit_width.hpp"

namespace abacus {
namespace {

// Width of a tap with its sign.
int tap_bits(const PeArrayConfig& array, ProcessingElementKind kind) {
  switch (kind) {
    case ProcessingElementKind::adder:
      return std::max(array.weight_bits, array.activation_bits) + 1;
    case ProcessingElementKind::mac:
      return array.weight_bits + array.activation_bits;
    case ProcessingElementKind::xnor:
      return 1;
    case ProcessingElementKind::shift:
    case ProcessingElementKind::post:
      return array.activation_bits + array.fraction_bits + 1;
    case ProcessingElementKind::apot:
      return array.activation_bits + array.fraction_bits + 2;
    case ProcessingElementKind::shift_add:
      return std::max(tap_bits(array, ProcessingElementKind::shift),
                      tap_bits(array, ProcessingElementKind::adder));
  }
  throw std::invalid_argument("array area: unknown kind of processing element");
}

double unit_area(const PeArrayConfig& array, ProcessingElementKind kind, const AreaTable& table) {
  const double shifter = table.um2(AreaPart::shifter, array.activation_bits + array.fraction_bits);
  switch (kind) {
    case ProcessingElementKind::adder:
      return 2 * table.um2(AreaPart::adder, std::max(array.weight_bits, array.activation_bits));
    case ProcessingElementKind::mac:
      return table.um2(AreaPart::multiplier, array.weight_bits, array.activation_bits);
    case ProcessingElementKind::xnor:
      return table.um2(AreaPart::bitwise, 1);
    case ProcessingElementKind::shift:
    case ProcessingElementKind::post:
      return shifter;
    case ProcessingElementKind::apot:
      return 2 * shifter + table.um2(AreaPart::adder, tap_bits(array, kind));
    case ProcessingElementKind::shift_add:
      return unit_area(array, ProcessingElementKind::shift, table) +
             unit_area(array, ProcessingElementKind::adder, table);
  }
  throw std::invalid_argument("array area: unknown kind of processing element");
}

// Bits of a column's lookup tables, which neighbouring rows share.
double table_bits(const PeArrayConfig& array) {
  if (array.kind != ProcessingElementKind::post) return 0;
  const double entries = static_cast<double>(1 << array.activation_bits) * array.table.exponents;
  const int tables = (array.rows + array.table.lanes - 1) / array.table.lanes;
  return entries * (array.activation_bits + array.table.fraction_bits) * tables;
}

}  // namespace

ArrayArea array_area(const PeArrayConfig& array, const AreaTable& table) {
  const double columns = array.columns;
  const double lanes = columns * array.rows;
  const int tap = tap_bits(array, array.kind);
  ArrayArea area;
  area.units = lanes * unit_area(array, array.kind, table);
  area.registers = lanes * table.um2(AreaPart::register_bits, array.weight_bits + tap) +
                   array.rows * table.um2(AreaPart::register_bits, array.activation_bits);
  int width = tap;
  for (int values = array.rows; values > 1; values -= values / 2) {
    ++width;
    area.adder_trees +=
        columns * ((values / 2) * table.um2(AreaPart::adder, width) +
                   (values - values / 2) * table.um2(AreaPart::register_bits, width));
  }
  if (array.kind == ProcessingElementKind::xnor) {
    area.adder_trees += columns * table.um2(AreaPart::adder, bit_width(array.rows) + 1);
  }
  area.accumulators = columns * (table.um2(AreaPart::adder, array.accumulator_bits) +
                                 table.um2(AreaPart::register_bits, array.accumulator_bits));
  area.memories =
      lanes * table.um2(AreaPart::memory, double{1} * array.weights_per_pe * array.weight_bits) +
      columns * table.um2(AreaPart::memory, table_bits(array));
  return area;
}

PeArrayConfig largest_array(PeArrayConfig array, const AreaTable& table, double um2) {
  const auto fits = [&](int rows, int columns) {
    PeArrayConfig tried = array;
    tried.rows = rows;
    tried.columns = columns;
    return array_area(tried, table).total() <= um2;
  };
  int columns = 0;
  while (columns < most_lanes_a_side && fits(array.rows, columns + 1)) ++columns;
  array.columns = std::max(1, columns);
  int rows = columns == 0 ? 0 : array.rows;
  while (rows < most_lanes_a_side && fits(rows + 1, array.columns)) ++rows;
  if (rows == 0) {
    std::ostringstream text;
    PeArrayConfig lane = array;
    lane.rows = lane.columns = 1;
    text << "one " << to_string(array.kind) << " lane takes " << array_area(lane, table).total()
         << " um2; the area to be filled is " << um2 << " um2";
    throw std::runtime_error(text.str());
  }
  array.rows = rows;
  return array;
}

}  // namespace abacus
