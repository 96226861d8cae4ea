#include "sw/experiment/results.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "sw/experiment/results_fields.hpp"
#include "sw/experiment/simulator.hpp"
#include "sw/experiment/table_agreement.hpp"
#include "sw/provenance/provenance.hpp"
#include "sw/reading/json_numbers.hpp"
#include "sw/support/output_file.hpp"

namespace abacus::experiment {

using Json = nlohmann::ordered_json;

Json run_results(const RunSpec& run, const network::IntegerNetwork& network,
                 const std::string& package_sha256, const schedule::Program& program,
                 const RunOutcome& outcome, bool checked) {
  RunFacts facts{run, network, package_sha256, program, outcome, checked, std::nullopt};
  if (!outcome.timed.empty()) {
    facts.timing = run_timing(outcome.timed, run.energy_table, run.hardware);
  }
  Json results = to_json(run_fields(), facts);
  reading::require_finite(results, "");
  return results;
}

Json scenario_results(const Scenario& scenario, Json runs, Json times) {
  Json json;
  json["schema"] = results_schema;
  json["energy_disagreements"] = to_json(table_disagreements(runs));
  json["runs"] = std::move(runs);
  json["scenario"] = {{"name", scenario.name},
                      {"file", scenario.file.filename().string()},
                      {"text", scenario.text},
                      {"set", scenario.settings}};
  json["times"] = std::move(times);
  json["provenance"] = provenance::provenance(simulator_name, simulator_libraries());
  return json;
}

void write_results(const std::filesystem::path& file, const Json& results) {
  reading::require_finite(results, "");
  support::write_output(file, [&](std::ostream& out) {
    // Invalid UTF-8 in a scenario's comment must not stop its results.
    out << results.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  });
}

}  // namespace abacus::experiment
