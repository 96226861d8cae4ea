// How far a metric may be from its golden value.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sw/compare/metric.hpp"
#include "sw/reading/section.hpp"

namespace abacus::regress {

struct Tolerance {
  enum class Kind { exact, absolute, percent };
  Kind kind = Kind::exact;
  double amount = 0;  // in the metric's unit, or percent of the golden value's magnitude

  // What is no number must be equal.
  bool allows(const nlohmann::json& golden, const nlohmann::json& now) const;
  std::string text() const;  // "exact", "±0.5", "±2 %"
};

// "exact", a number (absolute), or a text like "2 %". Throws InputError for anything else.
Tolerance read_tolerance(const reading::Value& value);

// By names of metrics and of kinds of them; a metric's own goes before its kind's.
class Tolerances {
 public:
  // Counts, accuracies and verdicts exact; what is computed from them in floating point within 1e-7 %, since another
  // compiler may add in another order.
  static Tolerances defaults();

  // All exact.
  static Tolerances exact();

  // The section's go before these. Throws InputError for what is neither a metric nor a kind.
  Tolerances with(reading::Section section) const;

  Tolerance of(const compare::Metric& metric) const;

 private:
  std::map<std::string, Tolerance> by_metric_;
  std::map<std::string, Tolerance> by_kind_;
};

}  // namespace abacus::regress
