#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "sw/cli/shared/integer_option.hpp"
#include "sw/cli/shared/json_output.hpp"
#include "sw/cli/trainer/commands.hpp"
#include "sw/cli/trainer/option_flags.hpp"
#include "sw/cli/trainer/run_options.hpp"
#include "sw/network/checkpoint.hpp"
#include "sw/network/dataset_match.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/network/keep_first.hpp"
#include "sw/network/safetensors.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/quantize.hpp"
#include "sw/support/output_file.hpp"
#include "sw/support/progress.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/processor.hpp"

namespace abacus::cli {
namespace {

struct Arguments {
  std::string checkpoint;
  quant::QuantizationOptions options;
  std::int64_t evaluate = 0;
  std::string evaluate_split = "test";
  std::int64_t compare = 0;
  std::string compare_dataset;
  std::string compare_split = "validation";
  std::string recipe_hash;
  bool print_recipe = false;
  std::string data;
  std::string out;
  int threads = train::default_threads;
  bool json = false;
};

void print_result(const Arguments& arguments, const network::PackageOrigin& origin,
                  double evaluated, std::int64_t evaluated_images,
                  const quant::Comparison& comparison, const std::string& compared_dataset) {
  nlohmann::ordered_json accuracy, compared;  // null where nothing was measured
  if (evaluated_images > 0) {
    accuracy = {{"accuracy_percent", evaluated},
                {"images", evaluated_images},
                {"split", arguments.evaluate_split}};
  }
  if (comparison.images > 0) {
    compared = {{"divergence", comparison.divergence},
                {"agreement_percent", comparison.agreement_percent},
                {"images", comparison.images},
                {"dataset", compared_dataset},
                {"split", arguments.compare_split}};
  }
  print_json("quantize", {{"package", arguments.out},
                          {"scheme", origin.scheme},
                          {"weight_bits", origin.weight_bits},
                          {"activation_bits", origin.activation_bits},
                          {"fake_quantized", accuracy},
                          {"compared", compared}});
}

// All but the checkpoint that decides the package's bits.
std::string recipe(const quant::CompletedOptions& options, int threads) {
  return quant::to_string(options) + ' ' + train::processor_text(threads);
}

void run(const Arguments& arguments) {
  const network::Checkpoint checkpoint = network::load_checkpoint(arguments.checkpoint);
  network::known_dataset(arguments.checkpoint, checkpoint.dataset);
  const quant::CompletedOptions options =
      quant::complete(arguments.options, quant::training_augmentation(checkpoint));
  quant::check_scheme(options, checkpoint, arguments.checkpoint);
  if (arguments.print_recipe) {
    std::printf("%s\n", recipe(options, arguments.threads).c_str());
    return;
  }
  if (arguments.out.empty()) throw std::invalid_argument("--out is required");
  const support::ReservedOutputs reserved({arguments.out}, {arguments.checkpoint});

  const std::filesystem::path root = network::data_root(arguments.data, checkpoint.dataset);
  const network::Dataset training =
      network::load_dataset(checkpoint.dataset, network::Split::train, root);
  network::check_images(arguments.checkpoint, checkpoint.network, training);
  network::Dataset evaluation;
  if (arguments.evaluate > 0) {
    evaluation = network::load_dataset(
        checkpoint.dataset,
        arguments.evaluate_split == "test" ? network::Split::test : network::Split::validation,
        root);
    network::keep_first(evaluation, arguments.evaluate);
  }
  network::Dataset compared;
  if (arguments.compare > 0) {
    const std::string& name =
        arguments.compare_dataset.empty() ? checkpoint.dataset : arguments.compare_dataset;
    compared = network::load_dataset(
        name,
        arguments.compare_split == "train" ? network::Split::train : network::Split::validation,
        network::data_root(arguments.data, name));
    network::check_image_shape(arguments.checkpoint, checkpoint.network.input, compared);
    network::keep_first(compared, arguments.compare);
  }

  train::prepare_torch(arguments.threads);
  network::IntegerNetwork network;
  quant::Comparison comparison;
  {
    support::StageProgress stages;
    network = quant::quantize(
        checkpoint, training, arguments.evaluate > 0 ? &evaluation : nullptr, options,
        [&](const std::string& stage, std::int64_t done, std::int64_t total) {
          stages.update(stage, done, total);
        },
        arguments.compare > 0 ? &compared : nullptr, &comparison);
  }
  const double evaluated = network.origin.fake_quantized_accuracy_percent;
  // Reports set the recorded accuracy beside the hardware's, which is measured on test images.
  if (arguments.evaluate_split != "test") {
    network.origin.fake_quantized_accuracy_percent =
        network::PackageOrigin{}.fake_quantized_accuracy_percent;
  }
  network.origin.checkpoint_sha256 = network::sha256_file(arguments.checkpoint);
  network.origin.recipe_sha256 = arguments.recipe_hash.empty()
                                     ? network::sha256_text(recipe(options, arguments.threads))
                                     : arguments.recipe_hash;
  network::write_package(arguments.out, network, recipe(options, arguments.threads));
  if (arguments.json) {
    return print_result(arguments, network.origin, evaluated, evaluation.count(), comparison,
                        compared.name);
  }
  std::printf("%s: %s, %d-bit weights, %d-bit activations", arguments.out.c_str(),
              network.origin.scheme.c_str(), network.origin.weight_bits,
              network.origin.activation_bits);
  if (arguments.evaluate > 0) {
    std::printf("; %.2f %% of %lld %s images, fake-quantized", evaluated,
                static_cast<long long>(evaluation.count()), arguments.evaluate_split.c_str());
  }
  if (comparison.images > 0) {
    std::printf("; on %lld %s images of %s, divergence from the float network %.5f, %.2f %% agree",
                static_cast<long long>(comparison.images), arguments.compare_split.c_str(),
                compared.name.c_str(), comparison.divergence, comparison.agreement_percent);
  }
  std::printf("\n");
}

}  // namespace

void add_quantize_command(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "quantize", "Turn a checkpoint into an integer network package, without further training");
  command->add_option("--checkpoint", arguments->checkpoint, "Checkpoint (.safetensors)")
      ->required();
  command
      ->add_option("--scheme", arguments->options.scheme,
                   "How; `abacus-train schemes` tells what they are")
      ->required()
      ->check(CLI::IsMember(quant::quantization_scheme_names()));
  for (const quant::QuantizationOption* option : quant::quantization_options()) {
    add_option_flag(*command, *option, quant::quantize_help(*option), arguments->options,
                    quant::section_of(*option));
  }
  command->option_defaults()->group("Measurements");
  add_integer(*command, "--evaluate", arguments->evaluate,
              "Measure the fake-quantized accuracy on so many images", {0, 1'000'000});
  command->add_option("--evaluate-split", arguments->evaluate_split, "Of which")
      ->check(CLI::IsMember({"test", "validation"}))
      ->capture_default_str();
  add_integer(*command, "--compare", arguments->compare,
              "Compare with the float network on so many images", {0, 1'000'000});
  command
      ->add_option("--compare-dataset", arguments->compare_dataset,
                   "Data set of these images (default: the checkpoint's); labels are not used")
      ->check(CLI::IsMember(network::dataset_names()));
  command->add_option("--compare-split", arguments->compare_split, "Of which")
      ->check(CLI::IsMember({"train", "validation"}))
      ->capture_default_str();
  command->option_defaults()->group("Options");
  command->add_option("--recipe-hash", arguments->recipe_hash,
                      "To be recorded in place of the options' own hash");
  add_run_options(*command, arguments->data, arguments->threads);
  command->add_option("--out", arguments->out, "Package to write (.safetensors)");
  CLI::Option* json = add_json_option(*command, arguments->json);
  command
      ->add_flag("--print-recipe", arguments->print_recipe,
                 "Only print all options, the defaults included, in one line")
      ->excludes(json);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace abacus::cli
