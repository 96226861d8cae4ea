#include "sw/study/table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <ostream>
#include <set>
#include <stdexcept>
#include <utility>

#include "sw/study/metric_names.hpp"

namespace abacus::study {
namespace {

using Json = nlohmann::ordered_json;

struct Parsed {
  Json axes;
  Json metrics;
};

Parsed parsed(const StoredPoint& point) {
  return {Json::parse(point.axes),
          point.metrics.empty() ? Json::object() : Json::parse(point.metrics)};
}

// Of all points, in the order in which they first come.
std::vector<std::string> metric_columns(const StoredStudy& study,
                                        const std::vector<Parsed>& points) {
  std::vector<std::string> names;
  std::set<std::string> seen(study.axes.begin(), study.axes.end());
  for (const Parsed& point : points) {
    for (const auto& [name, value] : point.metrics.items()) {
      if (seen.insert(name).second) names.push_back(name);
    }
  }
  return names;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json field(const StoredPoint& point, const Parsed& of, const std::string& column) {
  if (column == "number") return point.number;
  if (column == "status") return point.status;
  if (column == "reason") return text_or_null(point.reason);
  if (column == "hash") return point.hash;
  if (column == "package_sha256") return text_or_null(point.package);
  if (column == "seconds") return point.seconds;
  const auto axis = of.axes.find(column);
  if (axis != of.axes.end()) return *axis;
  const auto metric = of.metrics.find(column);
  return metric == of.metrics.end() ? Json(nullptr) : *metric;
}

std::string csv_field(const Json& value) {
  if (value.is_null()) return "";
  const std::string text = value.is_string()
                               ? value.get<std::string>()
                               : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? "\"\"" : std::string(1, letter);
  return quoted + '"';
}

std::string shown(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number_float()) return value.dump();
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", value.get<double>());
  return text;
}

Scalar scalar(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  return std::monostate();
}

// Axes by their names and keys.
std::map<std::string, std::string> axis_names(const StoredStudy& study) {
  std::map<std::string, std::string> names;
  for (const Json& axis : Json::parse(study.identity.axes)) {
    if (!axis.contains("name")) continue;
    const std::string name = axis["name"];
    names[name] = name;
    for (const Json& key : axis["keys"]) names.emplace(key.get<std::string>(), name);
  }
  return names;
}

class Conditions {
 public:
  explicit Conditions(const StoredStudy& study) : axes_(axis_names(study)) {
    for (const auto& [name, axis] : axes_) names_.insert(name);
  }

  void add(const std::string& text, const std::string& start) {
    all_.emplace_back(text, start, condition_names(text, names_));
  }

  bool hold(const Parsed& point) const {
    const auto value = [&](const std::string& name) -> Scalar {
      const auto axis = axes_.find(name);
      if (axis != axes_.end()) return scalar(point.axes.value(axis->second, Json()));
      return scalar(point.metrics.value(metric_of(name), Json()));
    };
    return std::all_of(all_.begin(), all_.end(),
                       [&](const Expression& condition) { return condition.holds(value); });
  }

 private:
  std::map<std::string, std::string> axes_;
  std::set<std::string> names_;
  std::vector<Expression> all_;
};

struct Candidate {
  const StoredPoint* point;
  std::vector<double> costs;  // less is better
};

bool dominates(const Candidate& a, const Candidate& b) {
  bool better = false;
  for (std::size_t i = 0; i < a.costs.size(); ++i) {
    if (a.costs[i] > b.costs[i]) return false;
    better = better || a.costs[i] < b.costs[i];
  }
  return better;
}

}  // namespace

Table table_of(const StoredStudy& study, const std::vector<std::string>& columns) {
  std::vector<Parsed> points;
  for (const StoredPoint& point : study.points) points.push_back(parsed(point));
  const std::vector<std::string> metrics = metric_columns(study, points);
  Table table;
  table.columns = {"number"};
  table.columns.insert(table.columns.end(), study.axes.begin(), study.axes.end());
  table.columns.emplace_back("status");
  table.columns.insert(table.columns.end(), metrics.begin(), metrics.end());
  for (const char* last : {"reason", "hash", "package_sha256"}) table.columns.emplace_back(last);
  if (!columns.empty()) {
    std::set<std::string> known(table.columns.begin(), table.columns.end());
    known.insert("seconds");
    table.columns.clear();
    for (const std::string& column : columns) {
      const std::string metric = metric_of(column);
      const std::string name = known.count(column) == 0 && !metric.empty() ? metric : column;
      if (known.count(name) == 0) {
        const std::string near = reading::nearest(name, known);
        throw std::runtime_error(
            "--columns: there is no column \"" + column + '"' +
            (near.empty() ? "" : "; did you mean `" + near + "`?") +
            " known: " + reading::joined(std::vector<std::string>(known.begin(), known.end())));
      }
      table.columns.push_back(name);
    }
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::vector<Json>& row = table.rows.emplace_back();
    for (const std::string& column : table.columns) {
      row.push_back(field(study.points[i], points[i], column));
    }
  }
  return table;
}

void write_csv(std::ostream& out, const Table& table) {
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    out << (c == 0 ? "" : ",") << csv_field(table.columns[c]);
  }
  out << '\n';
  for (const std::vector<Json>& row : table.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) out << (c == 0 ? "" : ",") << csv_field(row[c]);
    out << '\n';
  }
}

Json to_json(const Table& table) {
  Json rows = Json::array();
  for (const std::vector<Json>& row : table.rows) {
    Json& told = rows.emplace_back(Json::object());
    for (std::size_t c = 0; c < row.size(); ++c) told[table.columns[c]] = row[c];
  }
  return rows;
}

std::string to_text(const Table& table) {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    std::size_t width = table.columns[c].size();
    for (const std::vector<Json>& row : table.rows) width = std::max(width, shown(row[c]).size());
    widths.push_back(width);
  }
  std::string text;
  const auto line = [&](const auto& word) {
    for (std::size_t c = 0; c < widths.size(); ++c) {
      const std::string told = word(c);
      text += (c == 0 ? "" : "  ") + std::string(widths[c] - told.size(), ' ') + told;
    }
    text += '\n';
  };
  line([&](std::size_t c) { return table.columns[c]; });
  for (const std::vector<Json>& row : table.rows) {
    line([&](std::size_t c) { return shown(row[c]); });
  }
  return text;
}

std::vector<Objective> objectives_of(const StoredStudy& study, const Wish& wish) {
  std::vector<Objective> objectives = wish.objectives.empty() ? study.objectives : wish.objectives;
  if (objectives.empty()) {
    throw reading::InputError(
        "the study has no objective; name one by --minimise METRIC or --maximise METRIC");
  }
  for (Objective& objective : objectives) {
    const std::string metric = metric_of(objective.metric);
    if (metric.empty()) {
      throw reading::InputError((objective.maximise ? "--maximise: " : "--minimise: ") +
                                no_metric(objective.metric));
    }
    objective.metric = metric;
  }
  return objectives;
}

StoredStudy best(const StoredStudy& study, const Wish& wish) {
  const std::vector<Objective> objectives = objectives_of(study, wish);
  Conditions conditions(study);
  for (const std::string& constraint : study.constraints) {
    conditions.add(constraint, "constraints: ");
  }
  if (!wish.where.empty()) conditions.add(wish.where, "--where: ");
  std::vector<Candidate> candidates;
  std::map<std::string, int> without;  // an objective
  for (const StoredPoint& point : study.points) {
    if (point.status != "ok") continue;
    const Parsed of = parsed(point);
    if (!conditions.hold(of)) continue;
    Candidate candidate{&point, {}};
    for (const Objective& objective : objectives) {
      const Json value = of.metrics.value(objective.metric, Json());
      if (!value.is_number()) {
        ++without[objective.metric];
        continue;
      }
      candidate.costs.push_back(objective.maximise ? -value.get<double>() : value.get<double>());
    }
    if (candidate.costs.size() == objectives.size()) candidates.push_back(std::move(candidate));
  }
  if (std::none_of(study.points.begin(), study.points.end(),
                   [](const StoredPoint& point) { return point.status == "ok"; })) {
    throw reading::InputError("no point is ok; abacus export tells why");
  }
  if (candidates.empty() && !without.empty()) {
    throw reading::InputError("no point has the metric " + without.begin()->first);
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.costs < b.costs; });
  StoredStudy chosen = study;
  chosen.points.clear();
  if (!wish.pareto) {
    for (std::size_t i = 0; i < std::min(wish.top, candidates.size()); ++i) {
      chosen.points.push_back(*candidates[i].point);
    }
    return chosen;
  }
  // Sorted by the first objective: nobody is beaten by one that comes later, so those kept are enough.
  std::vector<const Candidate*> front;
  for (const Candidate& candidate : candidates) {
    const bool beaten = std::any_of(front.begin(), front.end(), [&](const Candidate* other) {
      return dominates(*other, candidate);
    });
    if (!beaten) front.push_back(&candidate);
  }
  for (const Candidate* candidate : front) chosen.points.push_back(*candidate->point);
  return chosen;
}

}  // namespace abacus::study
