#include "sw/network/dataset.hpp"
#include "tests/fuzz/target.hpp"

namespace abacus::test {

// As the test images' labels, which are read before the images; so no input is a whole data set.
bool fuzz_idx(const std::string& bytes) {
  static const ScratchFile labels("t10k-labels-idx1-ubyte");
  static const auto images = labels.beside("t10k-images-idx3-ubyte");
  write_text(labels.path(), bytes);
  write_text(images, "");
  std::string found;
  try {
    network::load_dataset("fashion-mnist", network::Split::test, labels.beside(""));
  } catch (const std::runtime_error& error) {
    found = error.what();
  }
  if (found.find(images.string()) != std::string::npos) return true;  // nothing was wrong before
  return accepts(labels.path().string(), [&] { throw std::runtime_error(found); });
}

}  // namespace abacus::test
