// What the actions of a DRAM device cost, for devices that say it themselves: tables of energy have the prices of
// the default device, or of none in particular.
#pragma once

#include <string>

#include "models/energy/energy_table.hpp"

namespace abacus::models {

// The table with the device's own prices for all of a DRAM's actions; the table itself where the device (by its
// name in tlm/dram_devices.hpp) has none.
EnergyTable with_dram_prices(const EnergyTable& table, const std::string& device);

}  // namespace abacus::models
