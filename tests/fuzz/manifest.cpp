#include "sw/import/import.hpp"
#include "tests/fuzz/target.hpp"

namespace abacus::test {

bool fuzz_manifest(const std::string& bytes) {
  static const ScratchFile manifest("a.manifest.txt");
  const std::size_t end = bytes.find('\0');
  write_text(manifest.path(), bytes.substr(0, end));
  write_text(manifest.beside("a.f32"), end == std::string::npos ? "" : bytes.substr(end + 1));
  // An error names the one file or the other.
  return accepts(manifest.beside("a.").string(),
                 [] { imports::read_float_manifest(manifest.path()); });
}

}  // namespace abacus::test
