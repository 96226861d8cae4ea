// Whether a run lost values to saturation.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace abacus::experiment {

// One line about a run of results.json: how often accumulators saturated or the factors of adapted steps
// left their range, and in which layers. Empty where nothing of it happened.
std::string saturation_warning(const nlohmann::ordered_json& run);

}  // namespace abacus::experiment
