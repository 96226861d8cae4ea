#include "sw/study/metric_names.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "sw/compare/metric.hpp"
#include "sw/reading/section.hpp"

namespace abacus::study {
namespace {

const std::map<std::string, std::string>& short_names() {
  static const std::map<std::string, std::string> names = {
      {"energy_uj", "energy_per_image_uj"},
      {"time_us", "time_per_image_us"},
      {"cycles", "cycles_per_image"},
      {"area_um2", "area.accelerator_um2"},
      {"energy_delay_product", "energy_delay_product_uj_us"}};
  return names;
}

bool is_of_point(const compare::Metric& metric) {
  return metric.name.rfind("layers.", 0) != 0 && metric.name != "activity_per_image";
}

bool starts_with(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

}  // namespace

const std::set<std::string>& metric_names() {
  static const std::set<std::string> names = [] {
    std::set<std::string> all;
    for (const compare::Metric& metric : compare::metrics()) {
      if (is_of_point(metric)) all.insert(metric.name);
    }
    return all;
  }();
  return names;
}

const std::set<std::string>& short_metric_names() {
  static const std::set<std::string> names = [] {
    std::set<std::string> all;
    for (const auto& [name, metric] : short_names()) all.insert(name);
    return all;
  }();
  return names;
}

std::string metric_of(const std::string& name) {
  const auto known = short_names().find(name);
  if (known != short_names().end()) return known->second;
  for (const std::string& metric : metric_names()) {
    if (name == metric || starts_with(name, metric + '.')) return name;
  }
  return "";
}

std::string no_metric(const std::string& name) {
  std::set<std::string> known = metric_names();
  known.insert(short_metric_names().begin(), short_metric_names().end());
  const std::string near = reading::nearest(name, known);
  return "found \"" + name + "\", which no result has" +
         (near.empty() ? "" : "; did you mean `" + near + "`?") +
         " known: " + reading::joined(std::vector<std::string>(known.begin(), known.end()));
}

std::set<std::string> condition_names(const std::string& text, std::set<std::string> axes) {
  constexpr const char* letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
  axes.insert(metric_names().begin(), metric_names().end());
  axes.insert(short_metric_names().begin(), short_metric_names().end());
  for (std::size_t at = text.find_first_of(letters); at != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_not_of(letters, at), text.size());
    const std::string word = text.substr(at, end - at);
    if (!metric_of(word).empty()) axes.insert(word);
    at = text.find_first_of(letters, end);
  }
  return axes;
}

const std::set<std::string>& reserved_columns() {
  static const std::set<std::string> names = {"number", "status",         "reason",
                                              "hash",   "package_sha256", "seconds"};
  return names;
}

nlohmann::ordered_json metrics_of(const nlohmann::ordered_json& run) {
  nlohmann::ordered_json metrics = nlohmann::ordered_json::object();
  const auto add = [&](const std::string& name, const nlohmann::ordered_json& value,
                       const auto& self) -> void {
    if (value.is_object()) {
      for (const auto& [key, inner] : value.items()) self(name + '.' + key, inner, self);
    } else if (!value.is_array()) {
      metrics[name] = value;
    }
  };
  // Numbers of different ones are not compared.
  for (const char* what : {"network", "dataset", "images", "energy_table"}) {
    metrics[what] = run.at(what);
  }
  metrics["area_table"] = run.at("area").at("table");
  for (const compare::Metric& metric : compare::metrics()) {
    if (!is_of_point(metric)) continue;
    const bool of_area = starts_with(metric.name, "area.");
    const auto& fields = of_area ? run.at("area") : run;
    const auto found = fields.find(of_area ? metric.name.substr(5) : metric.name);
    if (found != fields.end()) add(metric.name, *found, add);
  }
  return metrics;
}

}  // namespace abacus::study
