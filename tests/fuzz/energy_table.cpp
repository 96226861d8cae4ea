#include "sw/experiment/table_files.hpp"
#include "tests/fuzz/target.hpp"

namespace abacus::test {

bool fuzz_energy_table(const std::string& bytes) {
  static const ScratchFile file("a.toml");
  write_text(file.path(), bytes);
  return accepts(file.path().string(), [] { experiment::read_energy_table(file.path()); });
}

}  // namespace abacus::test
