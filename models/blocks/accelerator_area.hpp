// Area of the whole accelerator: its blocks (blocks.hpp) times a table.
#pragma once

#include <array>

#include "models/activity/activity.hpp"
#include "models/area/area_table.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

struct AcceleratorArea {
  std::array<double, component_count> by_component{};  // µm²

  double of(Component component) const { return by_component[static_cast<std::size_t>(component)]; }
  double total() const;
};

AcceleratorArea accelerator_area(const hw::HardwareConfig& hardware, const AreaTable& table);

// The accelerator's PE array with as many columns as let the whole fit into `um2`, with its own number
// of rows, and then as many rows as fit with that number of columns; fewer rows than its own only where
// not even one column fits. Read quantizer and scale unit grow with the array.
// Throws std::runtime_error where one lane is too large.
hw::PeArrayConfig largest_array(hw::HardwareConfig hardware, const AreaTable& table, double um2);

}  // namespace abacus::models
