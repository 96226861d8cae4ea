// A folder with all that `abacus simulate` needs without the trainer: a checkpoint of LeNet, a
// cache that holds its integer package, a scenario file. Images are Fashion-MNIST's.
#pragma once

#include <filesystem>
#include <string>

#include "sw/experiment/scenario.hpp"
#include "sw/network/integer_network.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::test {

class PreparedScenario {
 public:
  explicit PreparedScenario(network::Arithmetic arithmetic = network::Arithmetic::adder,
                            int bits = 4);

  std::filesystem::path folder() const { return folder_.path(); }
  std::filesystem::path checkpoint() const { return folder() / "lenet.safetensors"; }
  std::filesystem::path cache() const { return folder() / "cache"; }
  std::filesystem::path scenario() const { return folder() / "scenario.toml"; }
  const network::IntegerNetwork& network() const { return network_; }
  const experiment::QuantizationRecipe& recipe() const { return recipe_; }

  // The scenario's own text; `more` follows it.
  void write_scenario(const std::string& more) const;
  // Puts the package, or the one of another recipe, where the cache looks for it.
  std::filesystem::path write_package_to_cache(const experiment::QuantizationRecipe& recipe) const;
  // The package as the trainer would write it for a recipe of which it says `full_recipe`.
  network::IntegerNetwork package(const experiment::QuantizationRecipe& recipe,
                                  const std::string& full_recipe = "") const;

 private:
  TemporaryFolder folder_;
  network::Arithmetic arithmetic_;
  network::IntegerNetwork network_;
  experiment::QuantizationRecipe recipe_;
};

}  // namespace abacus::test
