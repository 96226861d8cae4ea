#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/cli/shared/command_exit.hpp"
#include "sw/cli/shared/integer_option.hpp"
#include "sw/cli/shared/json_output.hpp"
#include "sw/cli/trainer/commands.hpp"
#include "sw/cli/trainer/option_flags.hpp"
#include "sw/cli/trainer/run_options.hpp"
#include "sw/network/checkpoint.hpp"
#include "sw/network/dataset_match.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/network/keep_first.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/qat/qat.hpp"
#include "sw/support/log.hpp"
#include "sw/support/output_file.hpp"
#include "sw/support/stop_request.hpp"
#include "sw/train/device.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/processor.hpp"
#include "sw/train/trainer.hpp"

namespace abacus::cli {
namespace {

struct Arguments {
  quant::QatTrainingOptions training;
  quant::QuantizationOptions plan;
  quant::AskedQuantizers quantizers;
  std::string checkpoint;
  std::string teacher;
  std::string scheme;
  std::string train_on = "train";
  std::string recipe_hash;
  std::string trained_checkpoint;
  std::int64_t evaluate = 0;
  std::string device = "cpu";
  std::string data;
  int threads = train::default_threads;
  bool json = false;
};

void write_trained(const Arguments& arguments, const quant::QatOptions& options,
                   const quant::QatResult& result) {
  network::Checkpoint checkpoint = result.trained;
  checkpoint.float_origin_sha256 = result.network.origin.checkpoint_sha256;
  checkpoint.float_origin_accuracy_percent = result.network.origin.float_accuracy_percent;
  checkpoint.float_accuracy_percent = -1;  // it was trained for the integers
  checkpoint.epochs = options.epochs;
  checkpoint.seed = options.quantization.seed;
  network::save_checkpoint(arguments.trained_checkpoint, checkpoint);
}

void print_result(const Arguments& arguments, const quant::QatResult& result,
                  const quant::QatData& data) {
  const network::PackageOrigin& origin = result.network.origin;
  nlohmann::ordered_json test;  // null where it was not measured
  if (data.test.has_value()) {
    test = {{"accuracy_percent", origin.fake_quantized_accuracy_percent},
            {"images", data.test->count()}};
  }
  print_json(
      "qat",
      {{"package", arguments.training.out.string()},
       {"scheme", origin.scheme},
       {"weight_bits", origin.weight_bits},
       {"activation_bits", origin.activation_bits},
       {"validation",
        {{"accuracy_percent", result.validation_percent}, {"images", data.validation.count()}}},
       {"test", test}});
}

// Operands as wide as what is stored pass through: there is no step to learn.
void check_activation_steps(const Arguments& arguments, const quant::QatOptions& options) {
  const quant::CompletedOptions& plan = options.quantization;
  if (arguments.quantizers.activations.has_value() &&
      options.quantizers->activations != quant::ActivationQuantizer::asq &&
      plan.activation_bits >= plan.storage_bits) {
    throw std::invalid_argument(
        "--activation-quantizer " + quant::to_string(options.quantizers->activations) +
        ": found with " + std::to_string(plan.activation_bits) + " activation bits of " +
        std::to_string(plan.storage_bits) +
        " storage bits, where activations are read as they are stored; allowed: fewer "
        "--activation-bits, more --storage-bits, or asq");
  }
}

quant::QatOptions options_of(const Arguments& arguments, const train::Augmentation& trained) {
  quant::QuantizationOptions plan = arguments.plan;
  plan.scheme = quant::find_training_scheme(arguments.scheme).name;
  quant::QatOptions options(quant::complete(plan, trained), arguments.training);
  options.quantizers = quant::complete(arguments.quantizers);
  options.scheme =
      (options.quantizers.has_value() ? quant::to_string(*options.quantizers) : arguments.scheme) +
      "-qat";
  if (options.quantizers.has_value()) {
    options.learn_ranges = true;
    check_activation_steps(arguments, options);
  }
  quant::check_quantizers(options);
  return options;
}

// Options that would change nothing beside the others.
void refuse_idle_options(const CLI::App& command, const quant::QatOptions& options) {
  const auto refuse = [&](const char* option, bool idle, const char* without) {
    if (idle && command.count(option) > 0) {
      throw std::invalid_argument(std::string(option) + ": given " + without);
    }
  };
  for (const char* option : {"--teacher", "--temperature"}) {
    refuse(option, options.distill == 0, "without --distill");
  }
  refuse("--range-rate", !options.learn_ranges && !options.quantizers.has_value(),
         "without --learn-ranges");
  const bool adapts = options.quantizers.has_value() &&
                      options.quantizers->activations == quant::ActivationQuantizer::asq;
  refuse("--adapter-rate", !adapts, "without --activation-quantizer asq");
  refuse("--adder-rate", options.quantization.scheme().arithmetic == network::Arithmetic::cnn,
         "with --scheme uniform, whose networks have no adder layers");
  refuse("--nesterov", options.optimizer.method == train::OptimizerMethod::adam,
         "with --optimizer adam; allowed with sgd");
}

void run(const CLI::App& command, const Arguments& arguments) {
  const network::Checkpoint checkpoint = network::load_checkpoint(arguments.checkpoint);
  network::known_dataset(arguments.checkpoint, checkpoint.dataset);
  quant::QatOptions options = options_of(arguments, quant::training_augmentation(checkpoint));
  refuse_idle_options(command, options);
  if (!options.resume && std::filesystem::exists(train::state_file(options.out))) {
    throw std::runtime_error(
        train::state_file(options.out).string() +
        ": an unfinished training is there; go on with --resume, or remove it");
  }
  quant::check_scheme(options.quantization, checkpoint, arguments.checkpoint);
  std::vector<std::filesystem::path> outputs = {options.out, train::state_file(options.out),
                                                train::metrics_file(options.out)};
  if (!arguments.trained_checkpoint.empty()) outputs.emplace_back(arguments.trained_checkpoint);
  const support::ReservedOutputs reserved(outputs, {arguments.checkpoint, arguments.teacher});
  const network::Checkpoint teacher =
      arguments.teacher.empty() ? checkpoint : network::load_checkpoint(arguments.teacher);

  support::catch_stop_signals();
  train::prepare_torch(arguments.threads);
  options.device = train::device_from_string(arguments.device);
  const std::filesystem::path root = network::data_root(arguments.data, checkpoint.dataset);
  const network::Split split =
      arguments.train_on == "train" ? network::Split::train : network::Split::train_all;
  quant::QatData data = {
      network::load_dataset(checkpoint.dataset, split, root),
      network::load_dataset(checkpoint.dataset, network::Split::validation, root)};
  network::check_images(arguments.checkpoint, checkpoint.network, data.training);
  if (!arguments.teacher.empty()) {
    network::check_images(arguments.teacher, teacher.network, data.training);
  }
  if (options.training_images > 0) network::keep_first(data.training, options.training_images);
  if (arguments.evaluate > 0) {
    data.test = network::load_dataset(checkpoint.dataset, network::Split::test, root);
    network::keep_first(*data.test, arguments.evaluate);
  }
  quant::QatResult result =
      quant::train_quantized(checkpoint, teacher, data, options, support::stop_requested);
  if (!result.finished) {
    support::log_info("stopped; state saved in " + train::state_file(options.out).string() +
                      "; go on with --resume");
    throw CommandExit{support::kStoppedExitCode};
  }
  network::PackageOrigin& origin = result.network.origin;
  if (checkpoint.float_origin_sha256.empty()) {
    origin.checkpoint_sha256 = network::sha256_file(arguments.checkpoint);
  } else {
    origin.checkpoint_sha256 = checkpoint.float_origin_sha256;
    origin.float_accuracy_percent = checkpoint.float_origin_accuracy_percent;
  }
  std::string recipe = quant::to_string(options) + " train-on=" + arguments.train_on + ' ' +
                       train::processor_text(arguments.threads);
  if (arguments.device != "cpu") recipe += " device=" + arguments.device;
  if (!checkpoint.float_origin_sha256.empty())
    recipe += " from " + network::sha256_file(arguments.checkpoint);
  origin.recipe_sha256 =
      arguments.recipe_hash.empty() ? network::sha256_text(recipe) : arguments.recipe_hash;
  if (!arguments.trained_checkpoint.empty()) write_trained(arguments, options, result);
  network::write_package(options.out, result.network, recipe);
  std::filesystem::remove(train::state_file(options.out));
  if (arguments.json) return print_result(arguments, result, data);
  std::printf(
      "%s: %s, %d-bit weights, %d-bit activations; fake-quantized %.2f %% of the %lld validation "
      "images",
      options.out.c_str(), origin.scheme.c_str(), origin.weight_bits, origin.activation_bits,
      result.validation_percent, static_cast<long long>(data.validation.count()));
  if (data.test.has_value()) {
    std::printf(", %.2f %% of %lld test images", origin.fake_quantized_accuracy_percent,
                static_cast<long long>(data.test->count()));
  }
  std::printf("\n");
}

// Empty, or why a training cannot start from it.
std::string refuse_scheme(const std::string& name) {
  try {
    quant::find_training_scheme(name);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

void add_plan_options(CLI::App& command, Arguments& arguments) {
  command
      .add_option("--scheme", arguments.scheme, "Whose grids: that of quantize without \"-ptq\"")
      ->required()
      ->check(
          CLI::Validator(refuse_scheme, '{' + quant::listed(quant::training_scheme_names()) + '}'));
  for (const quant::QuantizationOption* option : quant::training_options()) {
    add_option_flag(command, *option, quant::training_help(*option), arguments.plan,
                    quant::section_of(*option));
  }
  for (const quant::TakenOption<quant::QuantizerValues>& taken : quant::quantizer_options()) {
    add_option_flag(command, *taken.option, quant::option_help(taken), arguments.quantizers,
                    "Trained quantizers");
  }
}

void add_training_options(CLI::App& command, Arguments& arguments) {
  quant::QatTrainingOptions& qat = arguments.training;
  add_integer(command, "--epochs", qat.epochs, "Passes over the training images", {1, 1'000'000})
      ->required()
      ->default_str("");
  command
      .add_option("--train-on", arguments.train_on,
                  "Training images: without (train) or with (train_all) the validation images; "
                  "with them the validation accuracy says nothing about new images")
      ->check(CLI::IsMember({"train", "train_all"}))
      ->capture_default_str();
  add_integer(command, "--train-images", qat.training_images,
              "Train on the first so many of them (0: all); with --distill 1 no label is looked "
              "at, which makes it post-training quantization",
              {0, 1'000'000});
  add_integer(command, "--batch", qat.batch, "Images a step", {2, 1'000'000});
  command.add_option("--lr", qat.learning_rate, "Learning rate at the start of the cosine")
      ->capture_default_str();
  command.add_option("--warmup", qat.warmup, "Epochs of linearly rising learning rate")
      ->capture_default_str();
  command
      .add_option_function<std::string>(
          "--optimizer",
          [&qat](const std::string& name) {
            qat.optimizer.method = train::optimizer_method_from_string(name);
          },
          "sgd (default), or adam, with a learning rate around 0.001")
      ->check(CLI::IsMember(train::optimizer_method_names()));
  command
      .add_option_function<std::string>(
          "--adder-gradient",
          [&qat](const std::string& name) {
            qat.adder_gradient =
                name == "exact" ? train::AdderGradient::exact : train::AdderGradient::adder_net;
          },
          "Of the adder layers: addernet (default), or exact, the derivative of what they compute")
      ->check(CLI::IsMember({"addernet", "exact"}));
  command
      .add_option_function<std::string>(
          "--precision",
          [&qat](const std::string& name) { qat.precision = train::precision_from_string(name); },
          "Number format of the training's convolutions: float32 (default), or bfloat16, for "
          "ordinary networks, faster where the processor multiplies it")
      ->check(CLI::IsMember({"float32", "bfloat16"}));
  add_device_option(command, arguments.device);
  command.add_option("--momentum", qat.optimizer.momentum, "Momentum")->capture_default_str();
  command.add_flag("--nesterov", qat.optimizer.nesterov, "Nesterov's momentum");
  command.add_option("--weight-decay", qat.optimizer.weight_decay, "Weight decay")
      ->capture_default_str();
  command
      .add_option("--adder-rate", qat.optimizer.adder_rate,
                  "Adaptive rate of the adder weights (AdderNet's eta)")
      ->capture_default_str();
  command
      .add_option("--distill", qat.distill,
                  "Share of the float network's softened scores in the loss (0: labels only)")
      ->capture_default_str();
  command.add_option("--temperature", qat.temperature, "By which scores are softened")
      ->capture_default_str();
  command.add_option("--teacher", arguments.teacher,
                     "Checkpoint whose scores are distilled (default: --checkpoint)");
  command
      .add_option(
          "--gradient-clip", qat.gradient_clip,
          "Longest gradient as a share of its parameter's norm, adder weights aside (0: any)")
      ->capture_default_str();
  command.add_flag("--learn-ranges", qat.learn_ranges, "Train the operands' ranges too (LSQ)");
  command
      .add_option("--range-rate", qat.range_rate,
                  "Their learning rate, as a multiple of the weights'")
      ->capture_default_str();
  command
      .add_option("--adapter-rate", qat.adapter_rate,
                  "--activation-quantizer asq: the adapters' learning rate, as a multiple of the "
                  "other ranges'")
      ->capture_default_str();
}

}  // namespace

void add_qat_command(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "qat", "Go on training a checkpoint on integer grids, and write an integer network package");
  command->add_option("--checkpoint", arguments->checkpoint, "Float checkpoint (.safetensors)")
      ->required();
  add_plan_options(*command, *arguments);
  command->option_defaults()->group("Training");
  add_training_options(*command, *arguments);
  command->option_defaults()->group("Options");
  command->add_option("--recipe-hash", arguments->recipe_hash,
                      "To be recorded in place of the options' own hash");
  add_run_options(*command, arguments->data, arguments->threads);
  add_integer(*command, "--checkpoint-every", arguments->training.checkpoint_every,
              "Epochs between saved states", {1, 1'000'000});
  add_integer(*command, "--validate-every", arguments->training.validate_every,
              "Epochs between measurements on the validation images", {1, 1'000'000});
  add_integer(*command, "--evaluate", arguments->evaluate,
              "Measure the finished package's fake-quantized accuracy on the first N test images, "
              "too, and record it (0: do not)",
              {0, 1'000'000});
  command->add_option("--out", arguments->training.out, "Package to write (.safetensors)")
      ->required();
  command->add_option("--out-checkpoint", arguments->trained_checkpoint,
                      "Also write the float parameters behind it, to go on from");
  command->add_flag("--resume", arguments->training.resume,
                    "Go on from the state saved beside --out, if any");
  add_json_option(*command, arguments->json);
  command->callback([arguments, command] { run(*command, *arguments); });
}

}  // namespace abacus::cli
