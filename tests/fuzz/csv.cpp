#include "sw/reading/integer_matrix.hpp"
#include "tests/fuzz/target.hpp"

namespace abacus::test {

bool fuzz_csv(const std::string& bytes) {
  static const ScratchFile file("a.csv");
  write_text(file.path(), bytes);
  return accepts(file.path().string(), [] {
    reading::read_integer_matrix(file.path(), {4, 8, -128, 127});
  });
}

}  // namespace abacus::test
