// What a suite gave, for people, for CI (JUnit XML) and for programs.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "sw/regress/case_run.hpp"
#include "sw/regress/suite.hpp"
#include "sw/regress/verdict.hpp"

namespace abacus::regress {

struct CaseReport {
  Case of;
  double seconds = 0;
  std::string error;  // of a run that crashed
  Verdict verdict;

  bool passed() const { return error.empty() && verdict.same(); }
};

// The largest changes of a metric that has parts; all else.
std::string mismatch_table(const Verdict& verdict);
// One line a case, tables of what differs.
std::string to_text(const std::vector<CaseReport>& reports);
nlohmann::ordered_json to_json(const Suite& suite, const std::vector<CaseReport>& reports);
// Through write_output() (sw/support/output_file.hpp).
void write_junit(const std::filesystem::path& file, const Suite& suite,
                 const std::vector<CaseReport>& reports);

}  // namespace abacus::regress
