#include "sw/compare/metric.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>

#include "sw/experiment/results_fields.hpp"

namespace abacus::compare {
namespace {

using experiment::FieldKind;

// None: an input.
std::optional<MetricKind> kind_of(FieldKind kind, const std::string& unit) {
  static const std::map<std::string, MetricKind> by_unit = {
      {"cycles", MetricKind::count}, {"µs", MetricKind::time},  {"µJ", MetricKind::energy},
      {"µW", MetricKind::power},     {"mW", MetricKind::power}, {"W", MetricKind::power},
      {"%", MetricKind::accuracy},   {"µm²", MetricKind::area}, {"mm²", MetricKind::area}};
  switch (kind) {
    case FieldKind::by_unit: {
      const auto found = by_unit.find(unit);
      return found == by_unit.end() ? std::nullopt : std::optional(found->second);
    }
    case FieldKind::count:
      return MetricKind::count;
    case FieldKind::ratio:
      return MetricKind::ratio;
    case FieldKind::verdict:
      return MetricKind::verdict;
    case FieldKind::input:
    case FieldKind::parts:
      return std::nullopt;
  }
  throw std::logic_error("kind_of: not a kind of field");
}

template <typename Facts>
void add(const std::string& names, const std::string& path,
         const std::vector<experiment::ResultsField<Facts>>& fields, std::vector<Metric>& all) {
  for (const experiment::ResultsField<Facts>& field : fields) {
    const std::optional<MetricKind> kind = kind_of(field.kind, field.unit);
    if (kind) all.push_back({names + field.name, field.unit, path + field.name, *kind});
  }
}

std::vector<Metric> all_metrics() {
  std::vector<Metric> all;
  add("", "runs[].", experiment::run_fields(), all);
  add("area.", "runs[].area.", experiment::area_fields(), all);
  add("layers.", "runs[].layers[].", experiment::layer_fields(), all);
  return all;
}

}  // namespace

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> all = all_metrics();
  return all;
}

const Metric* find_metric(const std::string& name) {
  const auto found = std::find_if(metrics().begin(), metrics().end(),
                                  [&](const Metric& metric) { return metric.name == name; });
  return found == metrics().end() ? nullptr : &*found;
}

std::string to_string(MetricKind kind) {
  switch (kind) {
    case MetricKind::count:
      return "count";
    case MetricKind::time:
      return "time";
    case MetricKind::energy:
      return "energy";
    case MetricKind::power:
      return "power";
    case MetricKind::accuracy:
      return "accuracy";
    case MetricKind::area:
      return "area";
    case MetricKind::ratio:
      return "ratio";
    case MetricKind::verdict:
      return "verdict";
  }
  throw std::logic_error("to_string: not a kind of metric");
}

const std::vector<MetricKind>& metric_kinds() {
  static const std::vector<MetricKind> all = {
      MetricKind::count,    MetricKind::time, MetricKind::energy, MetricKind::power,
      MetricKind::accuracy, MetricKind::area, MetricKind::ratio,  MetricKind::verdict};
  return all;
}

std::string metrics_markdown() {
  std::string text = "| metric | unit | kind | in results.json |\n| --- | --- | --- | --- |\n";
  for (const Metric& metric : metrics()) {
    text += "| `" + metric.name + "` | " + metric.unit + " | " + to_string(metric.kind) + " | `" +
            metric.path + "` |\n";
  }
  return text;
}

}  // namespace abacus::compare
