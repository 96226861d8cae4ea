// Where time went, as results.json and `abacus explain --json` have it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "sw/experiment/run_outcome.hpp"

namespace abacus::experiment {

// Cycles by unit, then cause; nothing that is 0. layer: of one alone.
nlohmann::ordered_json spent_json(const SpentCycles& spent, std::optional<int> layer);

}  // namespace abacus::experiment
