// results.json: what a scenario gave, for reports, comparisons and other programs.
// docs/results-json.md describes its fields.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sw/experiment/run_outcome.hpp"
#include "sw/experiment/scenario.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/schedule/program.hpp"

namespace abacus::experiment {

inline constexpr int results_schema = 2;

// One entry of "runs". `checked`: --check was given. Throws std::runtime_error where the energy
// table lacks an action that was counted, or a number is not finite.
nlohmann::ordered_json run_results(const RunSpec& run, const network::IntegerNetwork& network,
                                   const std::string& package_sha256,
                                   const schedule::Program& program, const RunOutcome& outcome,
                                   bool checked);

// The whole file. `times` and `provenance` are its only parts that differ from one execution to the next.
nlohmann::ordered_json scenario_results(const Scenario& scenario, nlohmann::ordered_json runs,
                                        nlohmann::ordered_json times);

// Through write_output() (sw/support/output_file.hpp). Throws std::runtime_error where a number is not finite.
void write_results(const std::filesystem::path& file, const nlohmann::ordered_json& results);

}  // namespace abacus::experiment
