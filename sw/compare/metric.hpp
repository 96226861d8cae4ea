// The one list of what results.json measures, for all who compare, watch or choose by it. It is made of the rows
// by which the file is written (sw/experiment/results_fields.hpp).
#pragma once

#include <string>
#include <vector>

namespace abacus::compare {

enum class MetricKind { count, time, energy, power, accuracy, area, ratio, verdict };

struct Metric {
  // As tolerances and objectives name it: "cycles_per_image", "area.array_um2", "layers.cycles". Fields of parts
  // (components, units, layers) have a value each.
  std::string name;
  std::string unit;  // empty: a count, a ratio, a verdict
  std::string path;  // in results.json: "runs[].layers[].cycles"
  MetricKind kind = MetricKind::count;
};

// In the file's order.
const std::vector<Metric>& metrics();
// Null where it is none: an input.
const Metric* find_metric(const std::string& name);

std::string to_string(MetricKind kind);
const std::vector<MetricKind>& metric_kinds();

// As a table in Markdown, for docs/diff.md.
std::string metrics_markdown();

}  // namespace abacus::compare
