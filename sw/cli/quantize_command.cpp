#include "sw/cli/quantize_command.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "sw/network/checkpoint.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/network/safetensors.hpp"
#include "sw/quant/quantize.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/progress.hpp"

namespace abacus {
namespace {

struct Arguments {
  std::string checkpoint;
  std::string scheme;
  QuantizationOptions options;
  std::string batch_norm = to_string(QuantizationOptions{}.batch_norm);
  int crop_padding = -1;
  std::optional<bool> flip;
  std::int64_t evaluate = 0;
  std::string evaluate_split = "test";
  std::string recipe_hash;
  std::string data;
  std::string out;
  int threads = 0;
};

void keep_first(Dataset& dataset, std::int64_t images) {
  images = std::min(images, dataset.count());
  dataset.pixels.resize(static_cast<std::size_t>(images * dataset.image.elements()));
  dataset.labels.resize(static_cast<std::size_t>(images));
}

// One bar a stage.
class Stages {
 public:
  void update(const std::string& stage, std::int64_t done, std::int64_t total) {
    if (stage != stage_) {
      stage_ = stage;
      progress_ = std::make_unique<Progress>(stage, total);
    }
    progress_->update(done);
  }

 private:
  std::string stage_;
  std::unique_ptr<Progress> progress_;
};

void run(const Arguments& arguments) {
  QuantizationOptions options = arguments.options;
  options.scheme = quantization_scheme_from_string(arguments.scheme);
  options.batch_norm = batch_norm_estimation_from_string(arguments.batch_norm);
  check(options);
  const Checkpoint checkpoint = load_checkpoint(arguments.checkpoint);
  options.augmentation = training_augmentation(checkpoint);
  if (arguments.crop_padding >= 0) options.augmentation.padding = arguments.crop_padding;
  if (arguments.flip.has_value()) options.augmentation.flip = *arguments.flip;
  check_scheme(options.scheme, checkpoint, arguments.checkpoint);

  const std::filesystem::path root = data_root(arguments.data);
  const Dataset training = load_dataset(checkpoint.dataset, Split::train, root);
  Dataset evaluation;
  if (arguments.evaluate > 0) {
    evaluation =
        load_dataset(checkpoint.dataset,
                     arguments.evaluate_split == "test" ? Split::test : Split::validation, root);
    keep_first(evaluation, arguments.evaluate);
  }

  prepare_torch(arguments.threads);
  IntegerNetwork network;
  {
    Stages stages;
    network =
        quantize(checkpoint, training, arguments.evaluate > 0 ? &evaluation : nullptr, options,
                 [&](const std::string& stage, std::int64_t done, std::int64_t total) {
                   stages.update(stage, done, total);
                 });
  }
  network.origin.checkpoint_sha256 = sha256_file(arguments.checkpoint);
  network.origin.recipe_sha256 =
      arguments.recipe_hash.empty() ? sha256_text(to_string(options)) : arguments.recipe_hash;
  write_package(arguments.out, network);
  std::printf("%s: %s, %d-bit weights, %d-bit activations", arguments.out.c_str(),
              network.origin.scheme.c_str(), network.origin.weight_bits,
              network.origin.activation_bits);
  if (arguments.evaluate > 0) {
    std::printf("; %.2f %% of %lld %s images, fake-quantized",
                network.origin.fake_quantized_accuracy_percent,
                static_cast<long long>(evaluation.count()), arguments.evaluate_split.c_str());
  }
  std::printf("\n");
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
                   "adderquant-ptq (adder networks) or uniform-ptq (ordinary ones)")
      ->required()
      ->check(CLI::IsMember(quantization_scheme_names()));
  command->add_option("--weight-bits", options.weight_bits, "Of the layers between the edges")
      ->required()
      ->check(CLI::Range(2, 8));
  command
      ->add_option("--activation-bits", options.activation_bits, "Of the layers between the edges")
      ->required()
      ->check(CLI::Range(2, 8));
  command->add_option("--storage-bits", options.storage_bits, "Of the tensors between layers")
      ->check(CLI::Range(2, 16))
      ->capture_default_str();
  command
      ->add_option("--bn", arguments->batch_norm,
                   "BatchNorm statistics: kept (the checkpoint's), estimated (again, with the "
                   "quantized layers) or corrected (the checkpoint's, by the change)")
      ->check(CLI::IsMember({"kept", "estimated", "corrected"}))
      ->capture_default_str();
  command->add_option("--bn-images", options.batch_norm_images, "Training images for them")
      ->check(CLI::Range(2, 1'000'000))
      ->capture_default_str();
  command
      ->add_option("--calibration-images", options.calibration_images,
                   "Training images for the tensors' ranges")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--groups", options.groups, "adderquant: groups of output channels a layer")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command
      ->add_option(
          "--alpha", options.alpha,
          "adderquant: share of the activations within their range (default: from 0.99 at 2 "
          "bits to 0.9999 at 8)")
      ->check(CLI::Range(1e-6, 1.0));
  command
      ->add_option("--weight-clamp", options.weight_clamp,
                   "adderquant: clamp the weights to the activations' range, losslessly")
      ->capture_default_str();
  command
      ->add_option("--activation-clamp", options.activation_clamp,
                   "adderquant: false takes the activations' maximum for their range")
      ->capture_default_str();
  command
      ->add_option("--crop-padding", arguments->crop_padding,
                   "Augmentation of the training images (default: as in the training)")
      ->check(CLI::Range(0, 16));
  command->add_option("--flip", arguments->flip,
                      "Augmentation of the training images (default: as in the training)");
  command->add_option("--seed", options.seed, "Of order and augmentation")->capture_default_str();
  command->add_option("--data", arguments->data, "Folder of the data set (default: ABACUS_DATA)");
  command
      ->add_option("--evaluate", arguments->evaluate,
                   "Measure the fake-quantized accuracy on so many images")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--evaluate-split", arguments->evaluate_split, "Of which")
      ->check(CLI::IsMember({"test", "validation"}))
      ->capture_default_str();
  command->add_option("--recipe-hash", arguments->recipe_hash,
                      "To be recorded in place of the options' own hash");
  command->add_option("--threads", arguments->threads, "Threads (0: one a processor)")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_option("--out", arguments->out, "Package to write (.safetensors)")->required();
  command->callback([arguments] { run(*arguments); });
}

}  // namespace abacus
