#include "sw/network/dataset.hpp"
#include "tests/fuzz/target.hpp"

namespace abacus::test {

// 10,000 images or, packed, less.
bool fuzz_cifar(const std::string& bytes) {
  static const ScratchFile file("test.bin");
  write_text(file.path(), bytes);
  return accepts(file.path().string(),
                 [] { network::load_dataset("cifar100", network::Split::test, file.beside("")); });
}

}  // namespace abacus::test
