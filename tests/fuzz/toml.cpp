#include "sw/reading/toml_file.hpp"
#include "tests/fuzz/target.hpp"

namespace abacus::test {

bool fuzz_toml(const std::string& bytes) {
  return accepts("some.toml", [&] { reading::parse_toml(bytes, "some.toml"); });
}

}  // namespace abacus::test
