#include "sw/compare/run_values.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "sw/experiment/results.hpp"
#include "sw/reading/node.hpp"

namespace abacus::compare {
namespace {

using Json = nlohmann::ordered_json;

bool is_leaf(const Json& json) { return !json.is_object() && !json.is_array(); }

// Every leaf below with its name in full.
void add_leaves(const std::string& name, const Json& json, std::vector<Value>& values) {
  if (is_leaf(json)) {
    values.push_back({name, "", json, nullptr});
    return;
  }
  std::size_t index = 0;
  for (const auto& [key, value] : json.items()) {
    add_leaves(json.is_array() ? name + '[' + std::to_string(index++) + ']' : name + '.' + key,
               value, values);
  }
}

std::string within(const std::string& part, const std::string& inner) {
  return part.empty() ? inner : part + ", " + inner;
}

// "dram.dram_read.128.0"
std::string action_name(const Json& action) {
  std::string name;
  for (const char* key : {"component", "action", "bits_a", "bits_b"}) {
    if (!action.contains(key)) continue;
    const Json& value = action[key];
    name +=
        (name.empty() ? "" : ".") + (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return name;
}

// Parts are the keys below it: energy_by_component_uj[dram], units.busy_cycles[load].
void add_metric(const Metric& metric, const std::string& part, const Json& json, RunValues& run) {
  if (is_leaf(json)) {
    run.outcomes.push_back({metric.name, part, json, &metric});
    return;
  }
  if (json.is_array()) {  // of actions
    for (const Json& action : json) {
      if (!action.is_object() || !action.contains("count")) continue;
      const std::string name = action_name(action);
      run.outcomes.push_back({metric.name, within(part, name), action["count"], &metric});
      if (!action.contains("pj_each")) continue;
      run.inputs.push_back({"pj_each[" + name + ']', "", action["pj_each"], nullptr});
    }
    return;
  }
  for (const auto& [key, inner] : json.items()) {
    if (is_leaf(inner)) {
      run.outcomes.push_back({metric.name, within(part, key), inner, &metric});
      continue;
    }
    std::vector<Value> leaves;
    add_leaves(metric.name, inner, leaves);
    for (const Value& leaf : leaves) {
      run.outcomes.push_back({leaf.name, within(part, key), leaf.value, &metric});
    }
  }
}

// `names`: in front of a metric's; `part`: the layer.
void add_fields(const std::string& names, const std::string& part, const Json& fields,
                RunValues& run) {
  for (const auto& [key, value] : fields.items()) {
    const std::string name = names + key;
    if (const Metric* metric = find_metric(name)) {
      add_metric(*metric, part, value, run);
    } else if (key == "area" && value.is_object()) {
      add_fields("area.", part, value, run);
    } else if (key == "layers" && value.is_array()) {
      std::size_t index = 0;
      for (const Json& layer : value) {
        const bool named = layer.is_object() && layer.contains("name") && layer["name"].is_string();
        const std::string number = std::to_string(index++);
        if (layer.is_object()) {
          add_fields("layers.", named ? layer["name"].get<std::string>() : number, layer, run);
        }
      }
    } else {
      add_leaves(part.empty() ? name : name + '[' + part + ']', value, run.inputs);
    }
  }
}

std::string text_of(const std::filesystem::path& file) {
  std::error_code ignored;
  std::ifstream in(file, std::ios::binary);
  if (!in || std::filesystem::is_directory(file, ignored)) {
    throw reading::InputError(file.string() + ": cannot read the file");
  }
  return {std::istreambuf_iterator<char>(in), {}};
}

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& what) {
  throw reading::InputError(file.string() + ": " + what);
}

}  // namespace

const RunValues* ResultsValues::find(const std::string& run) const {
  const auto found =
      std::find_if(runs.begin(), runs.end(), [&](const RunValues& one) { return one.name == run; });
  return found == runs.end() ? nullptr : &*found;
}

ResultsValues read_results_values(const std::filesystem::path& path) {
  std::error_code ignored;
  ResultsValues results;
  results.file = std::filesystem::is_directory(path, ignored) ? path / "results.json" : path;
  const std::filesystem::path& file = results.file;
  const Json json = Json::parse(text_of(file), nullptr, false);
  if (json.is_discarded()) refuse(file, "is no JSON");
  if (!json.is_object() || !json.contains("schema") || !json["schema"].is_number_integer()) {
    refuse(file, "has no schema; allowed: a results.json of abacus simulate");
  }
  const auto schema = json["schema"].get<std::int64_t>();
  const std::string allowed = "1 to " + std::to_string(experiment::results_schema);
  if (schema < 1 || schema > experiment::results_schema) {
    refuse(file, "found schema " + std::to_string(schema) + "; allowed: " + allowed +
                     (schema < 1 ? "" : "; a newer abacus wrote it"));
  }
  results.schema = static_cast<int>(schema);
  if (!json.contains("runs") || !json["runs"].is_array() || json["runs"].empty()) {
    refuse(file, "runs: found none; allowed: a list of runs");
  }
  std::set<std::string> names;
  for (const Json& run : json["runs"]) {
    const std::string place = "runs[" + std::to_string(results.runs.size()) + ']';
    if (!run.is_object() || !run.contains("name") || !run["name"].is_string()) {
      refuse(file, place + ".name: is missing; allowed: a text");
    }
    RunValues values;
    values.name = run["name"].get<std::string>();
    if (!names.insert(values.name).second) {
      refuse(file, place + ".name: two runs are called \"" + values.name + '"');
    }
    add_fields("", "", run, values);
    results.runs.push_back(std::move(values));
  }
  for (const auto& [key, value] : json.items()) {
    if (key == "provenance") add_leaves(key, value, results.provenance);
    if (key == "scenario") add_leaves(key, value, results.scenario);
  }
  return results;
}

}  // namespace abacus::compare
