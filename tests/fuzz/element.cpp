#include "sw/network/element_file.hpp"
#include "tests/fuzz/target.hpp"

namespace abacus::test {

// Beside its table of 4 rows and 4 columns, which the description may say of 2 bits each.
bool fuzz_element(const std::string& bytes) {
  static const ScratchFile file("a.toml");
  write_text(file.beside("taps.csv"), "0,1,2,3\n1,0,1,2\n2,1,0,1\n3,2,1,0\n");
  write_text(file.path(), bytes);
  return accepts(file.beside("").string(), [] { network::read_element(file.path()); });
}

}  // namespace abacus::test
