// The hardware parameters in results.json.
#pragma once

#include <nlohmann/json.hpp>

#include "tlm/hardware_config.hpp"

namespace abacus::experiment {

// By the rows of tlm/hardware_fields.hpp, with the preset's name in front; without what an array does not have.
nlohmann::ordered_json hardware_json(const hw::HardwareConfig& hardware);

}  // namespace abacus::experiment
