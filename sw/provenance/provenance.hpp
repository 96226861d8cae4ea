// Which program made a result, where, and by which command.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace abacus::provenance {

// A library that decides a number.
struct Library {
  std::string name;
  std::string version;
};

// This process's: `program`, `version`, `commit` (null where unknown), `dirty`, `compiler`, `flags`,
// `libraries` (the C library's among them), `processor`, `host`, `command` (a list of words). What the system
// does not tell is null.
nlohmann::ordered_json provenance(const std::string& program,
                                  const std::vector<Library>& libraries);

// The same of the program alone, for --version: its name and version in the first line.
std::string version_text(const std::string& program, const std::vector<Library>& libraries);

}  // namespace abacus::provenance
