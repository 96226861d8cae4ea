#include <CLI/CLI.hpp>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/cli/shared/json_output.hpp"
#include "sw/cli/trainer/commands.hpp"
#include "sw/import/import.hpp"
#include "sw/network/checkpoint.hpp"
#include "sw/support/output_file.hpp"
#include "sw/train/processor.hpp"
#include "sw/train/trainer.hpp"

namespace abacus::cli {
namespace {

struct Arguments {
  std::string from;
  std::string network = "resnet20";
  std::string arithmetic = "adder";
  std::string dataset = "cifar10";
  std::vector<float> mean;
  std::vector<float> deviation;
  std::string data;
  std::string out;
  bool json = false;
};

// `lowest`: what all values must be above.
void override_with(const std::vector<float>& given, const char* option, int channels, float lowest,
                   std::array<float, 3>& values) {
  if (given.empty()) return;
  if (given.size() != static_cast<std::size_t>(channels)) {
    throw std::invalid_argument(std::string(option) + ": found " + std::to_string(given.size()) +
                                " values, allowed: " + std::to_string(channels) +
                                ", one a channel");
  }
  for (const float value : given) {
    if (std::isfinite(value) && value > lowest) continue;
    std::ostringstream found;
    found << value;
    throw std::invalid_argument(std::string(option) + ": found " + found.str() +
                                ", allowed: finite numbers" + (lowest == 0 ? " above 0" : ""));
  }
  std::copy(given.begin(), given.end(), values.begin());
}

void run(const Arguments& arguments) {
  const support::ReservedOutputs reserved({arguments.out}, {arguments.from});
  network::Checkpoint checkpoint;
  const network::Shape image = network::dataset_image(arguments.dataset);
  checkpoint.network = network::make_network(arguments.network,
                                             network::arithmetic_from_string(arguments.arithmetic),
                                             image, network::dataset_classes(arguments.dataset));
  checkpoint.dataset = arguments.dataset;
  checkpoint.normalization = network::dataset_normalization(arguments.dataset);
  override_with(arguments.mean, "--mean", image.channels, std::numeric_limits<float>::lowest(),
                checkpoint.normalization.mean);
  override_with(arguments.deviation, "--deviation", image.channels, 0,
                checkpoint.normalization.deviation);
  checkpoint.tensors = imports::read_foreign_tensors(arguments.from, checkpoint.network.arithmetic);
  network::check_parameters(checkpoint.network, checkpoint.tensors, arguments.from);
  checkpoint.command = "abacus-train import";
  nlohmann::ordered_json accuracy;  // null where it is not measured
  if (!arguments.data.empty()) {
    train::prepare_torch(train::default_threads);
    train::FloatNetwork network(checkpoint.network, checkpoint.tensors);
    const network::Dataset test =
        network::load_dataset(arguments.dataset, network::Split::test, arguments.data);
    checkpoint.float_accuracy_percent = train::evaluate(network, test, checkpoint.normalization);
    accuracy = checkpoint.float_accuracy_percent;
    if (!arguments.json) {
      std::printf("%s: %.2f %% on the %lld test images\n", arguments.out.c_str(),
                  checkpoint.float_accuracy_percent, static_cast<long long>(test.count()));
    }
  }
  network::save_checkpoint(arguments.out, checkpoint);
  if (arguments.json) {
    print_json("import", {{"checkpoint", arguments.out}, {"float_accuracy_percent", accuracy}});
  }
}

}  // namespace

void add_import_command(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("import", "Turn a checkpoint of the AdderNet authors into ours");
  command
      ->add_option("--from", arguments->from,
                   "torch's legacy .pth, or NAME.manifest.txt with NAME.f32 beside it")
      ->required();
  command->add_option("--network", arguments->network, "Network of the zoo")
      ->check(CLI::IsMember(network::network_names()))
      ->capture_default_str();
  command->add_option("--arithmetic", arguments->arithmetic, "Arithmetic of the inner layers")
      ->check(CLI::IsMember({"adder", "cnn"}))
      ->capture_default_str();
  command->add_option("--dataset", arguments->dataset, "Data set it was trained on")
      ->check(CLI::IsMember(network::dataset_names()))
      ->capture_default_str();
  command->add_option("--mean", arguments->mean, "Mean it was trained with, one a channel")
      ->delimiter(',');
  command
      ->add_option("--deviation", arguments->deviation,
                   "Deviation it was trained with, one a channel")
      ->delimiter(',');
  command->add_option("--data", arguments->data,
                      "Folder of the data set; if given, the accuracy is measured and recorded");
  command->add_option("--out", arguments->out, "Checkpoint to write (.safetensors)")->required();
  add_json_option(*command, arguments->json);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace abacus::cli
