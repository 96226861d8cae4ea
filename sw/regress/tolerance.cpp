#include "sw/regress/tolerance.hpp"

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

namespace abacus::regress {
namespace {

constexpr double rounding_percent = 1e-7;

bool is_exact(compare::MetricKind kind) {
  return kind == compare::MetricKind::count || kind == compare::MetricKind::accuracy ||
         kind == compare::MetricKind::verdict;
}

}  // namespace

bool Tolerance::allows(const nlohmann::json& golden, const nlohmann::json& now) const {
  if (!golden.is_number() || !now.is_number()) return golden == now;
  const double wanted = golden.get<double>();
  const double off = std::abs(now.get<double>() - wanted);
  switch (kind) {
    case Kind::exact:
      return golden == now;
    case Kind::absolute:
      return off <= amount;
    case Kind::percent:
      return off <= amount / 100 * std::abs(wanted);
  }
  return false;
}

std::string Tolerance::text() const {
  if (kind == Kind::exact) return "exact";
  std::ostringstream text;
  text << "±" << amount << (kind == Kind::percent ? " %" : "");
  return text.str();
}

Tolerance read_tolerance(const reading::Value& value) {
  const std::string text = value.option();
  if (text == "exact") return {};
  char* end = nullptr;
  const double amount = std::strtod(text.c_str(), &end);
  std::string rest = end;
  if (!rest.empty() && rest.front() == ' ') rest.erase(0, 1);
  const bool number = end != text.c_str() && std::isfinite(amount) && amount >= 0;
  if (!number || (!rest.empty() && rest != "%")) {
    value.refuse_found("exact, a number (absolute), or a text like 0.5 %, not below 0");
  }
  return {rest.empty() ? Tolerance::Kind::absolute : Tolerance::Kind::percent, amount};
}

Tolerances Tolerances::defaults() {
  Tolerances tolerances;
  for (const compare::MetricKind kind : compare::metric_kinds()) {
    tolerances.by_kind_[compare::to_string(kind)] =
        is_exact(kind) ? Tolerance() : Tolerance{Tolerance::Kind::percent, rounding_percent};
  }
  return tolerances;
}

Tolerances Tolerances::exact() {
  Tolerances tolerances;
  for (const compare::MetricKind kind : compare::metric_kinds()) {
    tolerances.by_kind_[compare::to_string(kind)] = Tolerance();
  }
  return tolerances;
}

Tolerances Tolerances::with(reading::Section section) const {
  Tolerances changed = *this;
  // A kind that is given here goes before a metric's of those below.
  for (const compare::MetricKind kind : compare::metric_kinds()) {
    const std::string name = compare::to_string(kind);
    const reading::Value value = section.value(name);
    if (!value.given()) continue;
    changed.by_kind_[name] = read_tolerance(value);
    for (const compare::Metric& metric : compare::metrics()) {
      if (metric.kind == kind) changed.by_metric_.erase(metric.name);
    }
  }
  for (const compare::Metric& metric : compare::metrics()) {
    const reading::Value value = section.value(metric.name);
    if (value.given()) changed.by_metric_[metric.name] = read_tolerance(value);
  }
  section.refuse_unknown_keys();
  return changed;
}

Tolerance Tolerances::of(const compare::Metric& metric) const {
  const auto own = by_metric_.find(metric.name);
  return own != by_metric_.end() ? own->second : by_kind_.at(compare::to_string(metric.kind));
}

}  // namespace abacus::regress
