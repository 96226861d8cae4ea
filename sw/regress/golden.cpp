#include "sw/regress/golden.hpp"

#include <fstream>
#include <iterator>

#include "sw/reading/node.hpp"
#include "sw/support/output_file.hpp"

namespace abacus::regress {
namespace {

using Json = nlohmann::json;

constexpr int schema = 1;

[[noreturn]] void refuse(const Case& of, const std::string& what) {
  throw reading::InputError(of.golden.string() + ": " + what + "; to make it: abacus regress " +
                            "SUITE --update " + of.name + " --reason TEXT");
}

bool is_run(const Json& run) {
  if (!run.is_object()) return false;
  for (const auto& [metric, values] : run.items()) {
    static_cast<void>(metric);
    if (values.is_array()) return false;
    if (!values.is_object()) continue;
    for (const auto& [part, value] : values.items()) {
      static_cast<void>(part);
      if (value.is_structured()) return false;
    }
  }
  return true;
}

}  // namespace

Json golden_runs(const compare::ResultsValues& results) {
  Json runs = Json::object();
  for (const compare::RunValues& run : results.runs) {
    Json& metrics = runs[run.name] = Json::object();
    for (const compare::Value& value : run.outcomes) {
      if (value.metric->name == "layers.units") continue;
      const Json number = Json::parse(value.value.dump());
      if (value.part.empty()) {
        metrics[value.name] = number;
      } else {
        metrics[value.name][value.part] = number;
      }
    }
  }
  return runs;
}

const Json* find_value(const Json& run, const std::string& metric, const std::string& part) {
  const auto found = run.find(metric);
  if (found == run.end()) return nullptr;
  if (part.empty()) return found->is_object() ? nullptr : &*found;
  if (!found->is_object()) return nullptr;
  const auto value = found->find(part);
  return value == found->end() ? nullptr : &*value;
}

Golden read_golden(const Case& of) {
  std::error_code ignored;
  if (!std::filesystem::exists(of.golden, ignored)) refuse(of, "there is no golden file");
  std::ifstream in(of.golden, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) refuse(of, "is damaged: no JSON object");
  if (!json.contains("schema") || json["schema"] != schema) {
    refuse(of, "found schema " + (json.contains("schema") ? json["schema"].dump() : "none") +
                   "; allowed: " + std::to_string(schema));
  }
  if (!json.contains("case") || json["case"] != of.name) {
    refuse(of, "is not of case \"" + of.name + '"');
  }
  const bool runs = json.contains("runs") && json["runs"].is_object() && !json["runs"].empty();
  if (!runs) refuse(of, "is damaged: it has no runs");
  Golden golden;
  golden.runs = json["runs"];
  for (const auto& [name, run] : golden.runs.items()) {
    if (!is_run(run)) refuse(of, "is damaged: runs." + name + " is no table of values");
  }
  if (json.contains("reasons") && json["reasons"].is_array()) {
    for (const Json& reason : json["reasons"]) {
      if (!reason.is_string()) refuse(of, "is damaged: reasons are texts");
      golden.reasons.push_back(reason.get<std::string>());
    }
  }
  return golden;
}

void write_golden(const Case& of, const Golden& golden) {
  const Json json = {
      {"schema", schema}, {"case", of.name}, {"reasons", golden.reasons}, {"runs", golden.runs}};
  support::write_output(of.golden, [&](std::ostream& out) {
    out << json.dump(1, ' ', false, Json::error_handler_t::replace) << '\n';
  });
}

}  // namespace abacus::regress
