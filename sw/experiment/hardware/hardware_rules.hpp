// What a run's hardware keys must have to do with its arithmetic and its weights.
#pragma once

#include <filesystem>

#include "sw/experiment/read_files.hpp"
#include "sw/experiment/scenario.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/reading/section.hpp"

namespace abacus::experiment {

// Judges `run`, whose quantization and hardware are read, by the scenario alone. `own`: what the run itself
// says, without what holds for all runs; `base`: the scenario's folder. Throws InputError for
//   - a width that the arithmetic has no exponent weights of,
//   - hardware keys of the run itself that its arrays have no use for (presets serve every kind),
//   - a lookup table that has fewer exponents than the weights need; a table of which nobody says how many
//     it has gets as many as they need, and no less than the default.
void apply_hardware_rules(reading::Section& section, const reading::Section& own,
                          const std::filesystem::path& base, ReadFiles& files, RunSpec& run);

// The same of a ready package: its levels decide about the table, and step adapter keys want adapters.
void apply_hardware_rules(const network::IntegerNetwork& package, RunSpec& run);

}  // namespace abacus::experiment
