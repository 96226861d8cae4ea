#include "sw/cli/quantize_command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "sw/cli/adder_arguments.hpp"
#include "sw/cli/run_options.hpp"
#include "sw/network/checkpoint.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/network/keep_first.hpp"
#include "sw/network/safetensors.hpp"
#include "sw/quant/quantize.hpp"
#include "sw/support/progress.hpp"
#include "sw/train/modules.hpp"

namespace abacus {
namespace {

struct Arguments {
  std::string checkpoint;
  std::string scheme;
  std::optional<int> weight_bits;
  std::optional<int> activation_bits;
  QuantizationOptions options;
  AdderArguments adder;
  std::optional<std::string> batch_norm, weight_rounding, reconstruction;
  int crop_padding = -1;
  std::optional<bool> flip;
  std::int64_t evaluate = 0;
  std::string evaluate_split = "test";
  std::int64_t compare = 0;
  std::string compare_dataset;
  std::string compare_split = "validation";
  std::string recipe_hash;
  bool print_recipe = false;
  std::string data;
  std::string out;
  int threads = 0;
};

// Binary networks leave no choice.
int operand_bits(const std::optional<int>& given, const std::string& option,
                 QuantizationScheme scheme) {
  if (given.has_value()) return *given;
  if (scheme == QuantizationScheme::bnn) return 1;
  throw std::invalid_argument(option + " is required with scheme " + to_string(scheme));
}

void run(const Arguments& arguments) {
  QuantizationOptions options = arguments.options;
  options.scheme = quantization_scheme_from_string(arguments.scheme);
  options.weight_bits = operand_bits(arguments.weight_bits, "--weight-bits", options.scheme);
  options.activation_bits =
      operand_bits(arguments.activation_bits, "--activation-bits", options.scheme);
  const Arguments& a = arguments;
  if (a.batch_norm) options.batch_norm = batch_norm_estimation_from_string(*a.batch_norm);
  apply(a.adder, options);
  if (a.weight_rounding) options.weight_rounding = weight_rounding_from_string(*a.weight_rounding);
  if (a.reconstruction) options.reconstruction = reconstruction_from_string(*a.reconstruction);
  check(options);
  if (options.fraction_bits && options.scheme == QuantizationScheme::uniform_ptq) {
    throw std::invalid_argument(
        "--fraction-bits: given with scheme uniform-ptq; allowed with pot, post, apot, shift, "
        "shiftaddnet");
  }
  const Checkpoint checkpoint = load_checkpoint(arguments.checkpoint);
  options.augmentation = training_augmentation(checkpoint);
  if (arguments.crop_padding >= 0) options.augmentation.padding = arguments.crop_padding;
  if (arguments.flip.has_value()) options.augmentation.flip = *arguments.flip;
  check_scheme(options.scheme, checkpoint, arguments.checkpoint);
  if (arguments.print_recipe) {
    std::printf("%s\n", to_string(options).c_str());
    return;
  }
  if (arguments.out.empty()) throw std::invalid_argument("--out is required");

  const std::filesystem::path root = data_root(arguments.data, checkpoint.dataset);
  const Dataset training = load_dataset(checkpoint.dataset, Split::train, root);
  Dataset evaluation;
  if (arguments.evaluate > 0) {
    evaluation =
        load_dataset(checkpoint.dataset,
                     arguments.evaluate_split == "test" ? Split::test : Split::validation, root);
    keep_first(evaluation, arguments.evaluate);
  }
  Dataset compared;
  if (arguments.compare > 0) {
    const std::string& name =
        arguments.compare_dataset.empty() ? checkpoint.dataset : arguments.compare_dataset;
    compared =
        load_dataset(name, arguments.compare_split == "train" ? Split::train : Split::validation,
                     data_root(arguments.data, name));
    keep_first(compared, arguments.compare);
  }

  prepare_torch(arguments.threads);
  IntegerNetwork network;
  Comparison comparison;
  {
    StageProgress stages;
    network = quantize(
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
        PackageOrigin{}.fake_quantized_accuracy_percent;
  }
  network.origin.checkpoint_sha256 = sha256_file(arguments.checkpoint);
  network.origin.recipe_sha256 =
      arguments.recipe_hash.empty() ? sha256_text(to_string(options)) : arguments.recipe_hash;
  write_package(arguments.out, network);
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

// What only post-training quantization has.
void add_rounding_options(CLI::App& command, Arguments& arguments) {
  command
      .add_option("--weight-rounding", arguments.weight_rounding,
                  "output-error: round weight after weight for the least error in the layer's "
                  "output (default: nearest; not with --reconstruction network)")
      ->check(CLI::IsMember(weight_rounding_names()));
  command
      .add_option("--reconstruction", arguments.reconstruction,
                  "Afterwards learn from the float network, without labels; block: weights, ranges "
                  "and BatchNorms block by block; network: weights and BatchNorms all at once "
                  "(default: best-ptq network up to 4 activation bits, else none)")
      ->check(CLI::IsMember(reconstruction_names()));
}

void add_reconstruction_options(CLI::App& command, QuantizationOptions& options) {
  const auto count = [&](const std::string& name, std::optional<std::int64_t>& value,
                         const std::string& help) {
    command.add_option(name, value, help)->check(CLI::NonNegativeNumber);
  };
  count("--reconstruction-images", options.reconstruction_images,
        "brecq and --reconstruction block, network: training images");
  count("--iterations", options.iterations, "Likewise: steps a block");
  command.add_option("--temperature", options.temperature,
                     "--reconstruction network: divides both networks' scores before they are "
                     "compared (default: 4)");
  count("--network-iterations", options.network_iterations,
        "--reconstruction block: steps of the whole network afterwards");
  count("--activation-iterations", options.activation_iterations,
        "brecq: steps a block of the activations' scales");
}

}  // namespace

void add_quantize_command(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  QuantizationOptions& options = arguments->options;
  CLI::App* command = app.add_subcommand(
      "quantize", "Turn a checkpoint into an integer network package, without further training");
  command->add_option("--checkpoint", arguments->checkpoint, "Checkpoint (.safetensors)")
      ->required();
  command
      ->add_option("--scheme", arguments->scheme,
                   "Adder networks: adderquant-ptq, qssf-ptq, nonnegative-ptq, best-ptq; ordinary "
                   "ones: uniform-ptq, brecq, pot, post, apot; binary ones: bnn; networks of shift "
                   "layers: shift; "
                   "ShiftAddNets: shiftaddnet")
      ->required()
      ->check(CLI::IsMember(quantization_scheme_names()));
  command
      ->add_option("--weight-bits", arguments->weight_bits,
                   "Of the layers between the edges; not needed with bnn: 1")
      ->check(CLI::Range(1, 8));
  command
      ->add_option("--activation-bits", arguments->activation_bits,
                   "Of the layers between the edges; not needed with bnn: 1")
      ->check(CLI::Range(1, 8));
  command->add_option("--storage-bits", options.storage_bits, "Of the tensors between layers")
      ->check(CLI::Range(2, 16))
      ->capture_default_str();
  command
      ->add_option(
          "--bn", arguments->batch_norm,
          "BatchNorm: kept (the checkpoint's), estimated (its statistics again, with the "
          "quantized layers), corrected (the checkpoint's, by the change) or fitted (to the "
          "float network's outputs, layer by layer); default: estimated, "
          "best-ptq: corrected, brecq: kept")
      ->check(CLI::IsMember(batch_norm_estimation_names()));
  command->add_option("--bn-images", options.batch_norm_images, "Training images for them")
      ->check(CLI::Range(2, 1'000'000))
      ->capture_default_str();
  command
      ->add_option("--calibration-images", options.calibration_images,
                   "Training images for the tensors' ranges")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--fraction-bits", options.fraction_bits,
                      "Schemes of exponent weights: of the taps, at most (2 to 12; default: 8), of "
                      "post just so many (2 to 8; default: as its longest shift needs)");
  add_adder_options(*command, options, arguments->adder);
  add_rounding_options(*command, *arguments);
  add_reconstruction_options(*command, options);
  command
      ->add_option("--crop-padding", arguments->crop_padding,
                   "Augmentation of the training images (default: as in the training)")
      ->check(CLI::Range(0, 16));
  command->add_option("--flip", arguments->flip,
                      "Augmentation of the training images (default: as in the training)");
  command->add_option("--seed", options.seed, "Of order and augmentation")->capture_default_str();
  command
      ->add_option("--evaluate", arguments->evaluate,
                   "Measure the fake-quantized accuracy on so many images")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--evaluate-split", arguments->evaluate_split, "Of which")
      ->check(CLI::IsMember({"test", "validation"}))
      ->capture_default_str();
  command
      ->add_option("--compare", arguments->compare,
                   "Compare with the float network on so many images")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command
      ->add_option("--compare-dataset", arguments->compare_dataset,
                   "Data set of these images (default: the checkpoint's); labels are not used")
      ->check(CLI::IsMember(dataset_names()));
  command->add_option("--compare-split", arguments->compare_split, "Of which")
      ->check(CLI::IsMember({"train", "validation"}))
      ->capture_default_str();
  command->add_option("--recipe-hash", arguments->recipe_hash,
                      "To be recorded in place of the options' own hash");
  add_run_options(*command, arguments->data, arguments->threads);
  command->add_option("--out", arguments->out, "Package to write (.safetensors)");
  command->add_flag("--print-recipe", arguments->print_recipe,
                    "Only print all options, the defaults included, in one line");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace abacus
