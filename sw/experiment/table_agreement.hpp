// Which of two runs needs less energy is a table's answer. Where the shipped tables differ in it, results,
// summary and report say so.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace abacus::experiment {

// Two runs of one network and data set of which tables differ about who needs less.
struct TableDisagreement {
  std::string first;
  std::string second;
  std::map<std::string, double> ratio;  // first / second, by table

  // "first" needs 12 % less than "second" by a, b; 3 % more by c
  std::string text() const;
};

// `runs` as in results.json: `name`, `network`, `dataset`, `energy_by_table_uj`.
std::vector<TableDisagreement> table_disagreements(const nlohmann::ordered_json& runs);
// For results.json.
nlohmann::ordered_json to_json(const std::vector<TableDisagreement>& disagreements);

}  // namespace abacus::experiment
