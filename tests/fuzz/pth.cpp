#include "sw/import/import.hpp"
#include "tests/fuzz/target.hpp"

namespace abacus::test {

bool fuzz_pth(const std::string& bytes) {
  static const ScratchFile file("a.pth");
  write_text(file.path(), bytes);
  return accepts(file.path().string(), [] { imports::read_legacy_torch(file.path()); });
}

}  // namespace abacus::test
