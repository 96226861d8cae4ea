#include "sw/experiment/scenario.hpp"
#include "tests/fuzz/target.hpp"

namespace abacus::test {

// As a scenario's hardware.
bool fuzz_preset(const std::string& bytes) {
  static const ScratchFile scenario("scenario.toml");
  static const auto preset = scenario.beside("preset.toml");
  write_text(scenario.path(),
             "network = \"lenet\"\narithmetic = \"post\"\nweights = \"synthetic\"\n"
             "image = [1, 28, 28]\nclasses = 10\nquantization.weight_bits = 3\n"
             "hardware.preset = \"preset.toml\"\n");
  write_text(preset, bytes);
  // Some rules speak of the scenario's keys.
  return accepts(scenario.beside("").string(), [] { experiment::read_scenario(scenario.path()); });
}

}  // namespace abacus::test
