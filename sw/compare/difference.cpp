#include "sw/compare/difference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

namespace abacus::compare {
namespace {

using Json = nlohmann::ordered_json;

Json none() { return Json(Json::value_t::discarded); }

std::vector<Change> changes(const std::vector<Value>& a, const std::vector<Value>& b) {
  std::map<std::string, const Value*> earlier;
  for (const Value& value : a) earlier[value.full_name()] = &value;
  std::vector<Change> found;
  std::set<std::string> met;
  for (const Value& value : b) {
    const std::string name = value.full_name();
    met.insert(name);
    const auto old = earlier.find(name);
    if (old != earlier.end() && same_value(old->second->value, value.value)) continue;
    found.push_back({value.name, value.part, old == earlier.end() ? none() : old->second->value,
                     value.value, value.metric});
  }
  for (const Value& value : a) {
    if (met.count(value.full_name()) != 0) continue;
    found.push_back({value.name, value.part, value.value, none(), value.metric});
  }
  return found;
}

// Metrics in the order in which they come, their parts by size of the change.
void sort_parts(std::vector<Change>& all) {
  std::map<std::string, std::size_t> order;
  for (const Change& change : all) order.emplace(change.name, order.size());
  const auto size = [](const Change& change) {
    return change.is_number() ? std::abs(change.change()) : std::numeric_limits<double>::infinity();
  };
  std::stable_sort(all.begin(), all.end(), [&](const Change& x, const Change& y) {
    if (x.name != y.name) return order[x.name] < order[y.name];
    return size(x) > size(y);
  });
}

// "layers.static_energy_uj", of all layers and runs once.
std::string field_of(const Change& change) { return change.name.substr(0, change.name.find('[')); }

void leave_out_other_schema(std::vector<Change>& all, std::set<std::string>& fields) {
  const auto kept = std::stable_partition(all.begin(), all.end(),
                                          [](const Change& change) { return change.in_both(); });
  for (auto change = kept; change != all.end(); ++change) fields.insert(field_of(*change));
  all.erase(kept, all.end());
}

}  // namespace

double Change::change() const { return b.get<double>() - a.get<double>(); }

double Change::relative() const {
  const double from = std::abs(a.get<double>());
  if (from == 0) return std::copysign(std::numeric_limits<double>::infinity(), change());
  return change() / from;
}

bool same_value(const Json& a, const Json& b) {
  if (a.is_number_integer() && b.is_number_integer()) return a == b;
  if (a.is_number() && b.is_number()) return a.get<double>() == b.get<double>();
  return a == b;
}

Difference difference(ResultsValues a, ResultsValues b) {
  Difference all;
  std::set<std::string> fields;
  all.provenance = changes(a.provenance, b.provenance);
  all.scenario = changes(a.scenario, b.scenario);
  for (const RunValues& run : b.runs) {
    const RunValues* old = a.find(run.name);
    if (old == nullptr) {
      all.only_b.push_back(run.name);
      continue;
    }
    RunDifference found{run.name, changes(old->inputs, run.inputs),
                        changes(old->outcomes, run.outcomes)};
    if (a.schema != b.schema) {
      leave_out_other_schema(found.inputs, fields);
      leave_out_other_schema(found.outcomes, fields);
    }
    sort_parts(found.outcomes);
    if (!found.inputs.empty() || !found.outcomes.empty()) all.runs.push_back(std::move(found));
  }
  for (const RunValues& run : a.runs) {
    if (b.find(run.name) == nullptr) all.only_a.push_back(run.name);
  }
  all.not_compared.assign(fields.begin(), fields.end());
  all.a = std::move(a);
  all.b = std::move(b);
  return all;
}

}  // namespace abacus::compare
