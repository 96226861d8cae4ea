#include "sw/experiment/spent_json.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "sw/experiment/json_number.hpp"

namespace abacus::experiment {

nlohmann::ordered_json spent_json(const SpentCycles& spent, std::optional<int> layer) {
  std::map<std::pair<models::Unit, models::Cause>, double> sums;
  for (const auto& [key, cycles] : spent) {
    if (!layer || key.layer == *layer) sums[{key.unit, key.cause}] += cycles;
  }
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [key, cycles] : sums) {
    json[to_string(key.first)][models::to_string(key.second)] = number(cycles);
  }
  return json;
}

}  // namespace abacus::experiment
