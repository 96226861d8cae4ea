#include "sw/regress/verdict.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

namespace abacus::regress {
namespace {

using Json = nlohmann::json;

Json none() { return Json(Json::value_t::discarded); }

std::string text(const Json& value) { return value.is_discarded() ? "none" : value.dump(); }

std::string told(const Mismatch& mismatch, const std::string& metric) {
  return mismatch.part + ", " + metric + ": " + text(mismatch.golden) + " → " + text(mismatch.now);
}

// Of what the golden run has and the results have not.
void add_missing(const std::string& name, const Json& golden, const std::set<std::string>& met,
                 RunVerdict& verdict) {
  const auto missing = [&](const std::string& metric, const std::string& part, const Json& value) {
    if (met.count(metric + '\n' + part) != 0) return;
    verdict.mismatches.push_back({name, metric, part, value, none(), {}, ""});
  };
  for (const auto& [metric, values] : golden.items()) {
    if (!values.is_object()) missing(metric, "", values);
    if (!values.is_object()) continue;
    for (const auto& [part, value] : values.items()) missing(metric, part, value);
  }
}

RunVerdict judge_run(const std::string& name, const Json& golden, const compare::RunValues& now,
                     const Tolerances& tolerances, std::set<std::string>& added) {
  RunVerdict verdict;
  verdict.run = name;
  std::set<std::string> met;
  const Json current = golden_runs({{}, 0, {now}, {}, {}}).at(now.name);
  for (const compare::Value& value : now.outcomes) {
    const Json* found = find_value(current, value.name, value.part);
    if (found == nullptr) continue;  // goldens leave it out
    met.insert(value.name + '\n' + value.part);
    const Json* wanted = find_value(golden, value.name, value.part);
    if (wanted == nullptr) {
      added.insert(value.name);
      continue;
    }
    const Tolerance tolerance = tolerances.of(*value.metric);
    if (tolerance.allows(*wanted, *found)) continue;
    const Mismatch mismatch{name,   value.name, value.part,        *wanted,
                            *found, tolerance,  value.metric->unit};
    if (value.metric->name.rfind("layers.", 0) == 0 && verdict.first_layer.empty()) {
      verdict.first_layer = told(mismatch, value.name.substr(std::string("layers.").size()));
    }
    if (value.name.find("by_component") != std::string::npos && verdict.first_component.empty()) {
      verdict.first_component = told(mismatch, value.name);
    }
    verdict.mismatches.push_back(mismatch);
  }
  add_missing(name, golden, met, verdict);
  return verdict;
}

}  // namespace

std::string Mismatch::change() const {
  if (!golden.is_number() || !now.is_number()) return "";
  const double from = golden.get<double>();
  if (from == 0) return "from 0";
  char words[40];
  std::snprintf(words, sizeof words, "%+.3g %%", 100 * (now.get<double>() - from) / std::abs(from));
  return words;
}

Verdict judge(const Golden& golden, const compare::ResultsValues& now,
              const Tolerances& tolerances) {
  Verdict verdict;
  std::set<std::string> added;
  for (const auto& [name, run] : golden.runs.items()) {
    const compare::RunValues* found = now.find(name);
    if (found == nullptr) {
      verdict.runs.push_back({name, {{name, "run", "", name, none(), {}, ""}}, "", ""});
      continue;
    }
    RunVerdict one = judge_run(name, run, *found, tolerances, added);
    if (!one.mismatches.empty()) verdict.runs.push_back(std::move(one));
  }
  for (const compare::RunValues& run : now.runs) {
    if (!golden.runs.contains(run.name)) added.insert("run \"" + run.name + '"');
  }
  verdict.added.assign(added.begin(), added.end());
  return verdict;
}

}  // namespace abacus::regress
