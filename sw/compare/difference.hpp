// Where two results differ.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sw/compare/run_values.hpp"

namespace abacus::compare {

// A value of both. One that only one of them has is discarded in the other.
struct Change {
  std::string name;
  std::string part;
  nlohmann::ordered_json a;
  nlohmann::ordered_json b;
  const Metric* metric = nullptr;  // null: an input

  bool in_both() const { return !a.is_discarded() && !b.is_discarded(); }
  bool is_number() const { return a.is_number() && b.is_number(); }
  double change() const;    // b − a, of numbers
  double relative() const;  // over |a|; infinite where a is 0
};

// Equal numbers are equal however they are written: 5 and 5.0.
bool same_value(const nlohmann::ordered_json& a, const nlohmann::ordered_json& b);

struct RunDifference {
  std::string name;
  std::vector<Change> inputs;
  // In the order of `b`; what a run measures in parts stands together by metric, each with the largest change first.
  std::vector<Change> outcomes;
};

struct Difference {
  ResultsValues a;
  ResultsValues b;
  // Told, but no difference: who made them, by which file.
  std::vector<Change> provenance;
  std::vector<Change> scenario;
  std::vector<RunDifference> runs;  // those in both that differ
  std::vector<std::string> only_a;
  std::vector<std::string> only_b;
  // Fields that one of two schemas does not have: told, but no difference.
  std::vector<std::string> not_compared;

  bool same() const { return runs.empty() && only_a.empty() && only_b.empty(); }
};

Difference difference(ResultsValues a, ResultsValues b);

// For people: at most `most` parts of a metric; 0: all.
std::string to_text(const Difference& difference, std::size_t most);
std::string to_markdown(const Difference& difference, std::size_t most);
// All of it.
nlohmann::ordered_json to_json(const Difference& difference);

// "+1.65 %"; empty where it is no number.
std::string relative_text(const Change& change);
// As people read it; "–" where there is none.
std::string value_text(const nlohmann::ordered_json& value);

}  // namespace abacus::compare
