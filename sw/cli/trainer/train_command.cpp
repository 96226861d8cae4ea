#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "sw/cli/shared/command_exit.hpp"
#include "sw/cli/shared/integer_option.hpp"
#include "sw/cli/shared/json_output.hpp"
#include "sw/cli/trainer/commands.hpp"
#include "sw/cli/trainer/run_options.hpp"
#include "sw/network/arithmetic.hpp"
#include "sw/network/checkpoint.hpp"
#include "sw/support/log.hpp"
#include "sw/support/output_file.hpp"
#include "sw/support/stop_request.hpp"
#include "sw/train/device.hpp"
#include "sw/train/processor.hpp"
#include "sw/train/trainer.hpp"

namespace abacus::cli {
namespace {

struct Arguments {
  train::TrainOptions train;
  std::string arithmetic = "adder";
  std::string dataset = "fashion-mnist";
  std::string train_on = "train";
  std::string precision = "float32";
  std::string device = "cpu";
  std::string data;
  int threads = train::default_threads;
  bool json = false;
};

// The options as given, in the order of the help, so that the checkpoint can say how to make it
// again. --resume, --json and where the files lie do not change the network.
std::string command_text(const CLI::App& command) {
  std::ostringstream text;
  text << "abacus-train train";
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_name();
    if (option->count() == 0 || name == "--resume" || name == "--data" || name == "--out" ||
        name == "--checkpoint-every" || name == "--json") {
      continue;
    }
    text << ' ' << name;
    if (option->get_items_expected_max() > 0) text << ' ' << option->as<std::string>();
  }
  return text.str();
}

// Whether the checkpoint is there that these options lead to.
bool already_finished(const train::TrainOptions& options) {
  if (std::filesystem::exists(train::state_file(options.out)) ||
      !std::filesystem::exists(options.out)) {
    return false;
  }
  const std::string found = network::load_checkpoint(options.out).command;
  if (found != options.command) {
    throw std::runtime_error(options.out.string() + ": --resume found a finished training by \"" +
                             found + "\"; these options are \"" + options.command +
                             "\"; remove it or name another --out");
  }
  return true;
}

void print_trained(const std::filesystem::path& out, bool already_finished, double accuracy) {
  print_json("train", {{"checkpoint", out.string()},
                       {"already_finished", already_finished},
                       {"float_accuracy_percent", accuracy}});
}

void run(Arguments& arguments, const CLI::App& command) {
  train::TrainOptions& options = arguments.train;
  options.arithmetic = network::arithmetic_from_string(arguments.arithmetic);
  options.precision = train::precision_from_string(arguments.precision);
  options.command = command_text(command);
  options.processor = train::processor_text(arguments.threads);
  if (!options.resume && std::filesystem::exists(train::state_file(options.out))) {
    throw std::runtime_error(
        train::state_file(options.out).string() +
        ": an unfinished training is there; go on with --resume, or remove it");
  }
  if (options.resume && already_finished(options)) {
    if (arguments.json) {
      print_trained(options.out, true,
                    network::load_checkpoint(options.out).float_accuracy_percent);
    } else {
      std::printf("%s: this training is finished already\n", options.out.c_str());
    }
    return;
  }
  const support::ReservedOutputs reserved(
      {options.out, train::state_file(options.out), train::metrics_file(options.out)});
  support::catch_stop_signals();
  support::log_info("reading " + arguments.dataset);
  train::prepare_torch(arguments.threads);
  options.device = train::device_from_string(arguments.device);
  const std::filesystem::path root = network::data_root(arguments.data, arguments.dataset);
  train::TrainingData data;
  const network::Split split =
      arguments.train_on == "train" ? network::Split::train : network::Split::train_all;
  data.training = network::load_dataset(arguments.dataset, split, root);
  data.validation = network::load_dataset(arguments.dataset, network::Split::validation, root);
  data.test = network::load_dataset(arguments.dataset, network::Split::test, root);
  data.normalization = network::dataset_normalization(arguments.dataset);
  const train::TrainResult result = train::train(options, data, support::stop_requested);
  if (!result.finished) {
    support::log_info("stopped; state saved in " + train::state_file(options.out).string() +
                      "; go on with --resume");
    throw CommandExit{support::kStoppedExitCode};
  }
  if (arguments.json) return print_trained(options.out, false, result.float_accuracy_percent);
  std::printf("%s: %.2f %% on the %lld test images\n", options.out.c_str(),
              result.float_accuracy_percent, static_cast<long long>(data.test.count()));
}

// Others are ways to quantize one of these.
std::string trained_names() {
  std::string names;
  for (const std::string& name : network::arithmetic_names()) {
    const network::Arithmetic arithmetic = network::arithmetic_from_string(name);
    if (arithmetic != network::checkpoint_arithmetic(arithmetic)) continue;
    names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

// Empty, or why no network is trained with such layers.
std::string refuse_arithmetic(const std::string& name) {
  try {
    const network::Arithmetic arithmetic = network::arithmetic_from_string(name);
    if (arithmetic == network::checkpoint_arithmetic(arithmetic)) return {};
  } catch (const std::invalid_argument&) {
    return "unknown arithmetic \"" + name + "\"; allowed: " + trained_names();
  }
  return "networks of arithmetic " + name +
         " are quantized from trained ones and are not trained themselves; allowed: " +
         trained_names();
}

}  // namespace

void add_train_command(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  train::TrainOptions& train = arguments->train;
  CLI::App* command = app.add_subcommand("train", "Train a network and write a checkpoint");
  command->add_option("--network", train.network, "Network of the zoo")
      ->check(CLI::IsMember(network::network_names()))
      ->capture_default_str();
  command->add_option("--arithmetic", arguments->arithmetic, "Arithmetic of the inner layers")
      ->check(CLI::Validator(refuse_arithmetic, '{' + trained_names() + '}'))
      ->capture_default_str();
  command->add_option("--dataset", arguments->dataset, "Data set")
      ->check(CLI::IsMember(network::dataset_names()))
      ->capture_default_str();
  command
      ->add_option(
          "--train-on", arguments->train_on,
          "Training images: without (train) or with (train_all) the validation images; with them "
          "the metrics' validation accuracy says nothing about new images")
      ->check(CLI::IsMember({"train", "train_all"}))
      ->capture_default_str();
  add_integer(*command, "--epochs", train.epochs, "Passes over the training images", {1, 1'000'000})
      ->required()
      ->default_str("");
  add_integer(*command, "--batch", train.batch, "Images a step", {2, 1'000'000});
  command->add_option("--lr", train.learning_rate, "Learning rate at the start of the cosine")
      ->capture_default_str();
  command
      ->add_option("--precision", arguments->precision,
                   "Number format of the training passes; bfloat16 is for ordinary and binary "
                   "networks, int8 "
                   "for adder networks")
      ->check(CLI::IsMember({"float32", "bfloat16", "int8"}))
      ->capture_default_str();
  add_device_option(*command, arguments->device);
  command->add_option("--warmup", train.warmup, "Epochs of linearly rising learning rate")
      ->capture_default_str();
  command->add_option("--momentum", train.optimizer.momentum, "Momentum")->capture_default_str();
  command->add_flag("--nesterov", train.optimizer.nesterov, "Nesterov's momentum");
  command->add_option("--weight-decay", train.optimizer.weight_decay, "Weight decay")
      ->capture_default_str();
  command
      ->add_option("--adder-rate", train.optimizer.adder_rate,
                   "Adaptive rate of the adder weights (AdderNet's eta)")
      ->capture_default_str();
  command->add_option("--label-smoothing", train.label_smoothing, "Label smoothing")
      ->capture_default_str();
  add_integer(*command, "--crop-padding", train.augmentation.padding,
              "Pad images by so many pixels, then crop at a random place", {0, 4096});
  command->add_flag("--flip", train.augmentation.flip, "Mirror every second image at random");
  add_integer(*command, "--statistics-batches", train.statistics_batches,
              "Batches on which BatchNorm statistics are estimated after every epoch (0: keep "
              "running averages)",
              {0, 1'000'000});
  add_integer(*command, "--seed", train.seed, "Seed of weights, order and augmentation", {});
  add_run_options(*command, arguments->data, arguments->threads);
  add_integer(*command, "--checkpoint-every", train.checkpoint_every, "Epochs between saved states",
              {1, 1'000'000});
  command->add_option("--out", train.out, "Checkpoint to write (.safetensors)")->required();
  command->add_flag("--resume", train.resume, "Go on from the state saved beside --out, if any");
  add_json_option(*command, arguments->json);
  command->callback([arguments, command] { run(*arguments, *command); });
}

}  // namespace abacus::cli
