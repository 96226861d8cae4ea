// Metrics of results (sw/compare/metric.hpp) as objectives, conditions and columns name them: one number a point.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace abacus::study {

// Without those of layers. A metric with parts has one name a part: "energy_by_component_uj.dram".
const std::set<std::string>& metric_names();
// Short names for the common ones: "energy_uj", "area_um2", "time_us", "cycles".
const std::set<std::string>& short_metric_names();

// The metric that is meant; empty where it is none.
std::string metric_of(const std::string& name);

// "found …; allowed: …" of one that is none.
std::string no_metric(const std::string& name);

// The names of a condition over metrics: those of all axes, and the metrics, of parts too, that it has.
std::set<std::string> condition_names(const std::string& text, std::set<std::string> axes);

// Columns of every table of points, beside axes and metrics.
const std::set<std::string>& reserved_columns();

// Of a run of results.json: name → number, truth, text or null. What has no number (layers, actions) is left out; in front
// network, dataset, images, energy_table and area_table, without which numbers are not to be compared.
nlohmann::ordered_json metrics_of(const nlohmann::ordered_json& run);

}  // namespace abacus::study
