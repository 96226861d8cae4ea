#include "sw/network/checkpoint.hpp"

#include "tests/fuzz/target.hpp"

namespace abacus::test {

// What the reader takes the writer takes, too.
bool fuzz_checkpoint(const std::string& bytes) {
  static const ScratchFile file("a.safetensors");
  write_text(file.path(), with_header(bytes));
  network::Checkpoint checkpoint;
  const bool accepted =
      accepts(file.path().string(), [&] { checkpoint = network::load_checkpoint(file.path()); });
  if (!accepted) return false;
  network::save_checkpoint(file.path(), checkpoint);
  network::load_checkpoint(file.path());
  return true;
}

}  // namespace abacus::test
