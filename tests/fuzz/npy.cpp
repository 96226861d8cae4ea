#include "sw/reading/integer_matrix.hpp"
#include "tests/fuzz/target.hpp"

namespace abacus::test {

bool fuzz_npy(const std::string& bytes) {
  static const ScratchFile file("a.npy");
  write_text(file.path(), bytes);
  return accepts(file.path().string(), [] {
    reading::read_integer_matrix(file.path(), {4, 8, -128, 127});
  });
}

}  // namespace abacus::test
