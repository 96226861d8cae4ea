// libFuzzer's entry to one target, ABACUS_FUZZ_TARGET.
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/fuzz/target.hpp"

// SystemC's library wants one; libFuzzer has the program's main.
extern "C" int sc_main(int, char**) { return 0; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  abacus::test::ABACUS_FUZZ_TARGET(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
