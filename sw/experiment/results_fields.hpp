// The fields of a run in results.json: one row a field, by which it is written and docs/results-json.md is.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sw/experiment/run_outcome.hpp"
#include "sw/experiment/run_timing.hpp"
#include "sw/experiment/scenario.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/schedule/program.hpp"

namespace abacus::experiment {

// What a run's fields are made of.
struct RunFacts {
  const RunSpec& run;
  const network::IntegerNetwork& network;
  const std::string& package_sha256;
  const schedule::Program& program;
  const RunOutcome& outcome;
  bool checked;                     // --check was given
  std::optional<RunTiming> timing;  // none at the functional level
};

struct LayerFacts {
  const RunFacts& run;
  std::size_t index;
};

// What a field tells, for who compares results (sw/compare).
enum class FieldKind {
  by_unit,  // its unit says: cycles, µs, µJ, mW, %, µm²; no unit, or bits: an input
  input,    // what was simulated: scenario, hardware, package
  count,    // whole, and the same on every computer
  ratio,    // of counts
  verdict,  // true, false or words
  parts     // a list or object of other fields' rows
};

template <typename Facts>
struct ResultsField {
  const char* name;
  const char* unit;     // empty: a count, a name, an object
  const char* meaning;  // one line of Markdown
  // A discarded value: the field is left out.
  nlohmann::ordered_json (*value)(const Facts&);
  FieldKind kind = FieldKind::by_unit;
};

// In the order of the file.
const std::vector<ResultsField<RunFacts>>& run_fields();
const std::vector<ResultsField<RunSpec>>& synthetic_fields();  // of runs with random weights
const std::vector<ResultsField<RunSpec>>& area_fields();
const std::vector<ResultsField<FrameEnergy>>& frame_fields();
const std::vector<ResultsField<LayerFacts>>& layer_fields();
const std::vector<ResultsField<models::StepSaturations>>& step_saturation_fields();

template <typename Facts>
nlohmann::ordered_json to_json(const std::vector<ResultsField<Facts>>& fields, const Facts& facts) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const ResultsField<Facts>& field : fields) {
    nlohmann::ordered_json value = field.value(facts);
    if (!value.is_discarded()) json[field.name] = std::move(value);
  }
  return json;
}

// The rows as tables in Markdown.
std::string results_fields_markdown();

}  // namespace abacus::experiment
