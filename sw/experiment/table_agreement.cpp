#include "sw/experiment/table_agreement.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <sstream>

namespace abacus::experiment {
namespace {

using Json = nlohmann::ordered_json;

std::map<std::string, double> ratios(const Json& first, const Json& second) {
  std::map<std::string, double> by_table;
  const auto one = first.find("energy_by_table_uj");
  const auto other = second.find("energy_by_table_uj");
  if (one == first.end() || other == second.end()) return by_table;
  for (const auto& [table, energy] : one->items()) {
    const auto beside = other->find(table);
    if (beside == other->end() || beside->get<double>() == 0) continue;
    by_table[table] = energy.get<double>() / beside->get<double>();
  }
  return by_table;
}

// Sums of the same numbers in another order differ by less.
constexpr double rounding = 1e-9;
bool needs_less(double ratio) { return ratio < 1 - rounding; }
bool needs_more(double ratio) { return ratio > 1 + rounding; }

bool differ(const std::map<std::string, double>& ratio) {
  const auto less = [](const auto& entry) { return needs_less(entry.second); };
  const auto more = [](const auto& entry) { return needs_more(entry.second); };
  return std::any_of(ratio.begin(), ratio.end(), less) &&
         std::any_of(ratio.begin(), ratio.end(), more);
}

}  // namespace

std::string TableDisagreement::text() const {
  const auto side = [&](bool less) {
    std::ostringstream words;
    const char* between = "";
    for (const auto& [table, value] : ratio) {
      if (less ? !needs_less(value) : !needs_more(value)) continue;
      words << between << std::abs(std::round(1000 * (value - 1)) / 10) << " % by " << table;
      between = ", ";
    }
    return words.str();
  };
  return "the tables differ about \"" + first + "\" and \"" + second + "\": \"" + first +
         "\" needs less energy (" + side(true) + ") or more (" + side(false) + ")";
}

std::vector<TableDisagreement> table_disagreements(const Json& runs) {
  std::vector<TableDisagreement> found;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (std::size_t j = i + 1; j < runs.size(); ++j) {
      const Json& first = runs[i];
      const Json& second = runs[j];
      if (first["network"] != second["network"] || first["dataset"] != second["dataset"]) continue;
      std::map<std::string, double> ratio = ratios(first, second);
      if (differ(ratio)) found.push_back({first["name"], second["name"], std::move(ratio)});
    }
  }
  return found;
}

Json to_json(const std::vector<TableDisagreement>& disagreements) {
  Json list = Json::array();
  for (const TableDisagreement& one : disagreements) {
    list.push_back({{"first", one.first},
                    {"second", one.second},
                    {"ratio_by_table", one.ratio},
                    {"text", one.text()}});
  }
  return list;
}

}  // namespace abacus::experiment
