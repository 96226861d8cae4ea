#include "sw/network/safetensors.hpp"

#include "tests/fuzz/target.hpp"

namespace abacus::test {

// What was read is written as the same tensors.
bool fuzz_safetensors(const std::string& bytes) {
  static const ScratchFile file("a.safetensors");
  write_text(file.path(), bytes);
  network::TensorFile content;
  const bool accepted =
      accepts(file.path().string(), [&] { content = network::read_safetensors(file.path()); });
  if (!accepted) return false;
  network::write_safetensors(file.path(), content);
  const network::TensorFile again = network::read_safetensors(file.path());
  if (again.metadata != content.metadata || again.tensors.size() != content.tensors.size()) {
    throw std::logic_error("safetensors: written, another content is read");
  }
  for (const auto& [name, tensor] : content.tensors) {
    if (again.tensors.at(name).bytes != tensor.bytes) {
      throw std::logic_error("safetensors: written, another tensor is read");
    }
  }
  return true;
}

}  // namespace abacus::test
