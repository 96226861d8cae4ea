#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "sw/cli/shared/command_exit.hpp"
#include "sw/cli/shared/integer_option.hpp"
#include "sw/cli/shared/json_output.hpp"
#include "sw/cli/simulator/commands.hpp"
#include "sw/network/dataset.hpp"
#include "sw/support/output_file.hpp"
#include "sw/workload/layer_costs.hpp"

namespace abacus::cli {
namespace {

struct DescribeOptions {
  std::string network;
  std::string arithmetic = "cnn";
  std::string dataset;
  std::vector<int> image;
  int classes = 0;
  std::filesystem::path csv;
  bool json = false;
};

nlohmann::ordered_json to_json(const workload::LayerCosts& layer) {
  nlohmann::ordered_json fields;
  for (const auto& [name, value] : workload::cost_fields(layer)) {
    nlohmann::ordered_json& field = fields[name];  // null where the field does not apply
    if (const auto* text = std::get_if<std::string>(&value)) field = *text;
    if (const auto* count = std::get_if<std::int64_t>(&value)) field = *count;
  }
  return fields;
}

void print_costs(const network::Network& network, const std::vector<workload::LayerCosts>& layers) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const workload::LayerCosts& layer : layers) list.push_back(to_json(layer));
  print_json("describe", {{"network", network.name},
                          {"arithmetic", network::to_string(network.arithmetic)},
                          {"layers", list},
                          {"total", to_json(workload::total_costs(layers))}});
}

void describe(const DescribeOptions& options) {
  const support::ReservedOutputs reserved(support::given(options.csv));
  network::Shape image;
  int classes = options.classes;
  if (!options.dataset.empty()) {
    image = network::dataset_image(options.dataset);
    classes = network::dataset_classes(options.dataset);
  } else {
    if (options.image.empty() || classes == 0) {
      throw std::runtime_error("describe: give --dataset, or --image C,H,W and --classes K");
    }
    image = {options.image[0], options.image[1], options.image[2]};
  }
  const network::Network network = network::make_network(
      options.network, network::arithmetic_from_string(options.arithmetic), image, classes);
  const std::vector<workload::LayerCosts> layers = workload::layer_costs(network);
  if (options.json) return print_costs(network, layers);
  if (options.csv.empty()) {
    workload::write_costs_table(std::cout, layers);
    return;
  }
  support::write_output(options.csv,
                        [&](std::ostream& out) { workload::write_costs_csv(out, layers); });
}

}  // namespace

void add_describe_command(CLI::App& app) {
  auto options = std::make_shared<DescribeOptions>();
  CLI::App* command = app.add_subcommand(
      "describe", "List a network's layers: shapes, taps, parameters, costs of step adapters");
  command->add_option("--network", options->network, "Network of the zoo")
      ->required()
      ->check(CLI::IsMember(network::workload_names()));
  command->add_option("--arithmetic", options->arithmetic, "Of the layers between the edges")
      ->check(CLI::IsMember(network::arithmetic_names()))
      ->capture_default_str();
  CLI::Option* dataset =
      command->add_option("--dataset", options->dataset, "Whose images and classes it is for")
          ->check(CLI::IsMember(network::dataset_names()));
  add_integers(*command, "--image", options->image, "Channels, height and width, as 3,224,224",
               {1, 4096})
      ->expected(3)
      ->excludes(dataset);
  add_integer(*command, "--classes", options->classes, "Number of classes", {2, 32767})
      ->excludes(dataset);
  CLI::Option* csv =
      command->add_option("--csv", options->csv, "Write all columns there, in place of the table");
  add_json_option(*command, options->json)->excludes(csv);
  command->callback([options] {
    describe(*options);
    throw CommandExit{0};
  });
}

}  // namespace abacus::cli
