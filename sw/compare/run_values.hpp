// A results.json as values with names, whatever schema it has.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sw/compare/metric.hpp"

namespace abacus::compare {

// A number, a text, true, false or null.
struct Value {
  std::string name;  // of a metric, or in full of an input: "hardware.array.rows"
  std::string part;  // component, unit, layer, action whose value it is; may be empty
  nlohmann::ordered_json value;
  const Metric* metric = nullptr;  // null: an input

  std::string full_name() const { return part.empty() ? name : name + '[' + part + ']'; }
};

struct RunValues {
  std::string name;
  std::vector<Value> inputs;
  std::vector<Value> outcomes;  // layers in the network's order
};

struct ResultsValues {
  std::filesystem::path file;
  int schema = 0;
  std::vector<RunValues> runs;
  std::vector<Value> provenance;  // empty in schema 1
  std::vector<Value> scenario;    // name, file, text, what was set

  const RunValues* find(const std::string& run) const;
};

// `path`: the file, or a folder with a results.json in it. Throws reading::InputError naming the file where it
// cannot be read, is no results file, or is of a schema that a newer program wrote.
ResultsValues read_results_values(const std::filesystem::path& path);

}  // namespace abacus::compare
