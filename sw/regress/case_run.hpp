// Cases, simulated: each by `abacus simulate` in a process of its own, so that one that crashes takes none with it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sw/compare/run_values.hpp"
#include "sw/regress/suite.hpp"

namespace abacus::regress {

struct CaseRun {
  double seconds = 0;
  std::string error;               // what it said where it left no results; else empty
  compare::ResultsValues results;  // where there is no error
};

struct RunOptions {
  int jobs = 1;                     // cases at once
  std::filesystem::path data_root;  // as `abacus simulate` takes both; may be empty
  std::filesystem::path cache;
};

// In the order of the cases. Throws Stopped (stop_request.hpp).
std::vector<CaseRun> run_cases(const std::vector<Case>& cases, const RunOptions& options);

}  // namespace abacus::regress
