#include "tests/experiment/prepared_scenario.hpp"

#include <numeric>
#include <vector>

#include "sw/experiment/package_cache.hpp"
#include "sw/experiment/resources.hpp"
#include "sw/network/checkpoint.hpp"
#include "sw/network/safetensors.hpp"
#include "sw/workload/synthetic_network.hpp"

namespace abacus::test {

PreparedScenario::PreparedScenario(network::Arithmetic arithmetic, int bits)
    : arithmetic_(arithmetic) {
  network::Checkpoint checkpoint;
  checkpoint.network =
      network::make_network("lenet", arithmetic, network::dataset_image("fashion-mnist"),
                            network::dataset_classes("fashion-mnist"));
  checkpoint.dataset = "fashion-mnist";
  checkpoint.normalization = network::dataset_normalization("fashion-mnist");
  checkpoint.float_accuracy_percent = 12.5;
  checkpoint.epochs = 1;
  checkpoint.command = "a test";
  for (const network::ParameterShape& parameter : network::parameter_shapes(checkpoint.network)) {
    const std::int64_t elements = std::accumulate(parameter.shape.begin(), parameter.shape.end(),
                                                  std::int64_t{1}, std::multiplies<std::int64_t>());
    checkpoint.tensors[parameter.name] = network::Tensor::from(
        std::vector<float>(static_cast<std::size_t>(elements), 0.5F), parameter.shape);
  }
  network::save_checkpoint(this->checkpoint(), checkpoint);

  recipe_.scheme = arithmetic == network::Arithmetic::adder ? "adderquant-ptq" : "uniform-ptq";
  recipe_.weight_bits = bits;
  recipe_.activation_bits = bits;

  workload::SyntheticOptions options;
  options.network = "lenet";
  options.arithmetic = arithmetic;
  options.weight_bits = options.activation_bits = bits;
  network_ = workload::synthetic_network(options);
  std::filesystem::create_directories(cache());
  write_package_to_cache(recipe_);
  write_scenario("");
}

void PreparedScenario::write_scenario(const std::string& more) const {
  const std::string bits = std::to_string(recipe_.weight_bits);
  write_text(scenario(), "name = \"prepared\"\nnetwork = \"lenet\"\narithmetic = \"" +
                             network::to_string(arithmetic_) +
                             "\"\ndataset = \"fashion-mnist\"\ncheckpoint = \"lenet.safetensors\"\n"
                             "images = 20\nquantization.weight_bits = " +
                             bits + "\nquantization.activation_bits = " + bits + "\n" + more);
}

network::IntegerNetwork PreparedScenario::package(const experiment::QuantizationRecipe& recipe,
                                                  const std::string& full_recipe) const {
  network::IntegerNetwork network = network_;
  network.origin.network = "lenet";
  network.origin.arithmetic = arithmetic_;
  network.origin.dataset = "fashion-mnist";
  network.origin.scheme = recipe.scheme;
  network.origin.weight_bits = recipe.weight_bits;
  network.origin.activation_bits = recipe.activation_bits;
  network.origin.float_accuracy_percent = 12.5;
  network.origin.checkpoint_sha256 = network::sha256_file(checkpoint());
  network.origin.recipe_sha256 = experiment::recipe_hash("fashion-mnist", recipe, full_recipe);
  return network;
}

std::filesystem::path PreparedScenario::write_package_to_cache(
    const experiment::QuantizationRecipe& recipe) const {
  experiment::PackageRequest request;
  request.checkpoint = checkpoint();
  request.dataset = "fashion-mnist";
  request.recipe = recipe;
  request.trainer =
      experiment::find_program("abacus-train");  // as the program under test will find it
  const network::IntegerNetwork network = package(recipe, experiment::ask_trainer(request));
  const std::filesystem::path file = experiment::package_file(
      cache(), network.origin.checkpoint_sha256, network.origin.recipe_sha256);
  network::write_package(file, network);
  return file;
}

}  // namespace abacus::test
