#include "sw/reading/json_text.hpp"
#include "tests/fuzz/target.hpp"

namespace abacus::test {

bool fuzz_json(const std::string& bytes) {
  return accepts("some.json", [&] { reading::parse_json(bytes, "some.json"); });
}

}  // namespace abacus::test
