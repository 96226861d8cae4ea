#include <cstdint>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "sw/network/reference_executor.hpp"
#include "tests/fuzz/target.hpp"

namespace abacus::test {
namespace {

// Small enough to be computed for each input.
bool is_small(const network::IntegerNetwork& network) {
  constexpr std::int64_t most = 100'000;
  std::int64_t work = network.image.shape.elements();
  for (const network::IntegerLayer& layer : network.layers) {
    const std::int64_t window = std::int64_t{1} * layer.kernel * layer.kernel;
    const std::int64_t channels = network.tensor(layer.input).shape.channels;
    if (layer.output.shape.elements() > most / window / channels) return false;
    work += layer.output.shape.elements() * window * channels;
  }
  return work <= most;
}

}  // namespace

// What the reader takes the writer takes, and the judge computes.
bool fuzz_package(const std::string& bytes) {
  static const ScratchFile file("a.safetensors");
  write_text(file.path(), with_header(bytes));
  network::IntegerNetwork network;
  const bool accepted =
      accepts(file.path().string(), [&] { network = network::read_package(file.path()); });
  if (!accepted) return false;
  network::write_package(file.path(), network);
  network::read_package(file.path());
  if (is_small(network)) {
    const std::vector<std::uint8_t> pixels(static_cast<std::size_t>(network.image.shape.elements()),
                                           200);
    network::execute_reference(network, network::quantize_image(network, pixels.data()), {}, {});
  }
  return true;
}

}  // namespace abacus::test
