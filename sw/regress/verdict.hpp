// A case's results against its golden ones.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sw/compare/run_values.hpp"
#include "sw/regress/golden.hpp"
#include "sw/regress/suite.hpp"

namespace abacus::regress {

// A value that is not what it should be.
struct Mismatch {
  std::string run;
  std::string metric;     // "units.busy_cycles"
  std::string part;       // layer, component, unit; may be empty
  nlohmann::json golden;  // discarded: there was none
  nlohmann::json now;     // discarded: it is missing
  Tolerance tolerance;
  std::string unit;

  std::string change() const;  // "+1.2 %"; empty where there is none
};

struct RunVerdict {
  std::string run;
  std::vector<Mismatch> mismatches;
  // Where the two part first, in the order of the network and of the components: "conv2, cycles: 5 → 6". Empty
  // where they do not.
  std::string first_layer;
  std::string first_component;
};

struct Verdict {
  std::vector<RunVerdict> runs;    // those that differ
  std::vector<std::string> added;  // metrics and runs that the golden file does not have
  bool same() const { return runs.empty(); }
};

// What the golden file has must be there and within its tolerance.
Verdict judge(const Golden& golden, const compare::ResultsValues& now,
              const Tolerances& tolerances);

}  // namespace abacus::regress
