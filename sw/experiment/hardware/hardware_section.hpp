// HardwareConfig from the keys of a scenario or a preset, which have the names of its fields.
#pragma once

#include <filesystem>

#include "sw/experiment/read_files.hpp"
#include "sw/reading/section.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::experiment {

// `hardware`: the scenario's [hardware] section. Its `preset` ("edge-16x16" by default) names a
// file in scenarios/hardware or a path from `base`; the section's other keys override the preset's.
// `kind` is the array's processing element where neither says otherwise. `array.same_area_as` is left
// to the reader of the scenario. A DRAM device other than the default must
// come with all of its numbers. What is wrong goes into `mistakes`; throws InputError for a preset that is not there or no
// TOML.
hw::HardwareConfig read_hardware(reading::Section& scenario, const std::filesystem::path& base,
                                 hw::ProcessingElementKind kind, ReadFiles& files,
                                 reading::Mistakes& mistakes);

// Whether scenario or preset say how many exponents the array's lookup table has; after read_hardware().
bool gives_table_exponents(reading::Section& scenario, const std::filesystem::path& base,
                           ReadFiles& files);

}  // namespace abacus::experiment
