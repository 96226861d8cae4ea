// What a case gave when somebody last said that it was right: a small sorted JSON file.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sw/compare/run_values.hpp"
#include "sw/regress/suite.hpp"

namespace abacus::regress {

struct Golden {
  // Runs by name, metrics by name; a value each, or values by part.
  nlohmann::json runs = nlohmann::json::object();
  // Why it is as it is, the oldest first.
  std::vector<std::string> reasons;
};

// All that a case's results measure but the units of single layers, which would be most of the file.
nlohmann::json golden_runs(const compare::ResultsValues& results);

// The value of a golden run, null pointer where it has none.
const nlohmann::json* find_value(const nlohmann::json& run, const std::string& metric,
                                 const std::string& part);

// Throws InputError naming the file where it is not there, damaged, of another schema or of another case.
Golden read_golden(const Case& of);

// Through write_output() (sw/support/output_file.hpp).
void write_golden(const Case& of, const Golden& golden);

}  // namespace abacus::regress
