// Files of energies and areas (scenarios/energy, scenarios/area), as their tables in models/ say.
#pragma once

#include <filesystem>

#include "models/area/area_table.hpp"
#include "models/energy/energy_table.hpp"
#include "sw/reading/section.hpp"

namespace abacus::experiment {

// Each throws InputError with place, what was found and what is allowed.
models::EnergyTable read_energy_table(const std::filesystem::path& file);
models::AreaTable read_area_table(const std::filesystem::path& file);

// One action's energy: `law` and what goes with it.
models::EnergyEntry read_energy_entry(reading::Section section);

}  // namespace abacus::experiment
