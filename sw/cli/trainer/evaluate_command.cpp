#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "sw/cli/shared/integer_option.hpp"
#include "sw/cli/shared/json_output.hpp"
#include "sw/cli/trainer/commands.hpp"
#include "sw/cli/trainer/run_options.hpp"
#include "sw/network/checkpoint.hpp"
#include "sw/network/dataset_match.hpp"
#include "sw/network/keep_first.hpp"
#include "sw/quant/simulate/package_accuracy.hpp"
#include "sw/support/progress.hpp"
#include "sw/train/processor.hpp"
#include "sw/train/trainer.hpp"

namespace abacus::cli {
namespace {

struct Arguments {
  std::string checkpoint;
  std::string package;
  std::string exponents = "fixed-point";
  std::string dataset;
  std::string split = "test";
  std::string data;
  std::int64_t images = 0;
  int threads = train::default_threads;
  bool json = false;
};

void tell(const Arguments& arguments, const std::string& dataset, double accuracy,
          std::int64_t images) {
  if (!arguments.json) {
    std::printf("%.2f %% of %lld images\n", accuracy, static_cast<long long>(images));
    return;
  }
  nlohmann::ordered_json fields;
  if (arguments.package.empty()) {
    fields["checkpoint"] = arguments.checkpoint;
  } else {
    fields["package"] = arguments.package;
    fields["exponents"] = arguments.exponents;
  }
  fields.update({{"dataset", dataset},
                 {"split", arguments.split},
                 {"images", images},
                 {"accuracy_percent", accuracy}});
  print_json("evaluate", fields);
}

network::Split split_from_string(const std::string& text) {
  if (text == "train") return network::Split::train;
  if (text == "validation") return network::Split::validation;
  if (text == "train_all") return network::Split::train_all;
  return network::Split::test;
}

void run_package(const Arguments& arguments) {
  const network::IntegerNetwork package = network::read_package(arguments.package);
  const network::ExponentArithmetic exponents = arguments.exponents == "exact"
                                                    ? network::ExponentArithmetic::exact
                                                    : network::ExponentArithmetic::fixed_point;
  const std::string name = arguments.dataset.empty()
                               ? network::known_dataset(arguments.package, package.origin.dataset)
                               : arguments.dataset;
  network::Dataset dataset = network::load_dataset(name, split_from_string(arguments.split),
                                                   network::data_root(arguments.data, name));
  network::check_images(arguments.package, package, dataset);
  if (arguments.images > 0) network::keep_first(dataset, arguments.images);
  support::Progress progress("evaluation", dataset.count());
  const double accuracy = quant::package_accuracy(
      package, dataset, exponents, [&](std::int64_t done) { progress.update(done); });
  tell(arguments, name, accuracy, dataset.count());
}

void run(const Arguments& arguments) {
  if (arguments.checkpoint.empty() == arguments.package.empty()) {
    throw std::runtime_error("give either --checkpoint or --package");
  }
  train::prepare_torch(arguments.threads);
  if (!arguments.package.empty()) return run_package(arguments);
  if (arguments.exponents == "exact") {
    throw std::runtime_error("--exponents exact: given with --checkpoint; allowed: with --package");
  }
  const network::Checkpoint checkpoint = network::load_checkpoint(arguments.checkpoint);
  const std::string name = arguments.dataset.empty()
                               ? network::known_dataset(arguments.checkpoint, checkpoint.dataset)
                               : arguments.dataset;
  const network::Dataset dataset = network::load_dataset(name, split_from_string(arguments.split),
                                                         network::data_root(arguments.data, name));
  network::check_images(arguments.checkpoint, checkpoint.network, dataset);
  train::FloatNetwork network(checkpoint.network, checkpoint.tensors);
  const double accuracy =
      train::evaluate(network, dataset, checkpoint.normalization, arguments.images);
  const std::int64_t images =
      arguments.images > 0 ? std::min(arguments.images, dataset.count()) : dataset.count();
  tell(arguments, name, accuracy, images);
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("evaluate",
                         "Measure a checkpoint's accuracy in floating point, or an integer "
                         "package's by the reference executor");
  command->add_option("--checkpoint", arguments->checkpoint, "Checkpoint (.safetensors)");
  command->add_option("--package", arguments->package, "Integer network package (.safetensors)");
  command
      ->add_option("--exponents", arguments->exponents,
                   "Of a package's shift, POST and APoT layers: fixed-point (the hardware's "
                   "integers), or exact (real numbers, nothing cut off)")
      ->check(CLI::IsMember({"fixed-point", "exact"}))
      ->capture_default_str();
  command->add_option("--dataset", arguments->dataset, "Data set (default: the network's own)")
      ->check(CLI::IsMember(network::dataset_names()));
  command->add_option("--split", arguments->split, "Which images")
      ->check(CLI::IsMember({"test", "validation", "train", "train_all"}))
      ->capture_default_str();
  add_integer(*command, "--images", arguments->images, "Only the first so many images (0: all)",
              {0, 1'000'000});
  add_run_options(*command, arguments->data, arguments->threads);
  add_json_option(*command, arguments->json);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace abacus::cli
