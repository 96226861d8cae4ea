#include "sw/experiment/scenario.hpp"

#include "tests/fuzz/target.hpp"

namespace abacus::test {

// Beside a package that is none and an element that is one, for scenarios that name files.
bool fuzz_scenario(const std::string& bytes) {
  static const ScratchFile file("a.toml");
  write_text(file.path(), bytes);
  return accepts(file.path().string(), [] { experiment::read_scenario(file.path()); });
}

}  // namespace abacus::test
