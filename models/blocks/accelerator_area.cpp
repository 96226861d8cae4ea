#include "models/blocks/accelerator_area.hpp"

#include <algorithm>
#include <numeric>
#include <sstream>
#include <stdexcept>

#include "models/blocks/blocks.hpp"
#include "tlm/hardware_fields.hpp"

namespace abacus::models {

double AcceleratorArea::total() const {
  return std::accumulate(by_component.begin(), by_component.end(), 0.0);
}

AcceleratorArea accelerator_area(const hw::HardwareConfig& hardware, const AreaTable& table) {
  AcceleratorArea area;
  for (const Block& block : accelerator_blocks(hardware)) {
    area.by_component[static_cast<std::size_t>(block.component)] += table.um2(block.parts);
  }
  return area;
}

hw::PeArrayConfig largest_array(hw::HardwareConfig hardware, const AreaTable& table, double um2) {
  hw::PeArrayConfig& array = hardware.array;
  const auto area = [&](int rows, int columns) {
    array.rows = rows;
    array.columns = columns;
    return accelerator_area(hardware, table).total();
  };
  const int own_rows = array.rows;
  int columns = 0;
  while (columns < hw::most_lanes_a_side && area(own_rows, columns + 1) <= um2) ++columns;
  int rows = columns == 0 ? 0 : own_rows;
  columns = std::max(1, columns);
  while (rows < hw::most_lanes_a_side && area(rows + 1, columns) <= um2) ++rows;
  if (rows == 0) {
    std::ostringstream text;
    text << "an accelerator with one " << hw::to_string(array.kind) << " lane takes " << area(1, 1)
         << " um2; the area to be filled is " << um2 << " um2";
    throw std::runtime_error(text.str());
  }
  array.rows = rows;
  array.columns = columns;
  return array;
}

}  // namespace abacus::models
