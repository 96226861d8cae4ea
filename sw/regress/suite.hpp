// A suite of regressions, as its TOML file says. docs/regress.md lists the keys.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sw/regress/tolerance.hpp"

namespace abacus::regress {

struct Case {
  std::string name;
  std::filesystem::path scenario;
  std::vector<std::string> settings;   // --set KEY=VALUE of abacus simulate
  std::optional<std::int64_t> images;  // instead of the scenario's
  bool smoke = true;                   // in the tier `smoke`; `full` has all
  Tolerances tolerances;
  std::filesystem::path golden;
};

struct Suite {
  std::filesystem::path file;
  std::string name;
  std::vector<Case> cases;
};

// `goldens`: in place of the suite's folder of golden files; empty: the suite's. Throws InputError with all mistakes
// of the file, each with its place.
Suite read_suite(const std::filesystem::path& file, const std::filesystem::path& goldens);

// Those of the tier whose name has the pattern in it (* and ? as in a shell), or all where it is empty.
std::vector<Case> chosen(const Suite& suite, bool smoke_alone, const std::string& pattern);

}  // namespace abacus::regress
