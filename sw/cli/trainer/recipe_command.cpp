#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "sw/cli/shared/json_output.hpp"
#include "sw/cli/trainer/commands.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/network/safetensors.hpp"
#include "sw/quant/qat/qat.hpp"

namespace abacus::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string package;
  bool json = false;
};

// A number where the text is one, decimal or as 0x1.8p-4.
Json value_of(const std::string& text) {
  const Json number = Json::parse(text, nullptr, false);
  if (number.is_number()) return number;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool is_hexadecimal = text.find("0x") != std::string::npos && *end == '\0';
  return is_hexadecimal ? Json(value) : Json(text);
}

// Each word NAME=VALUE. Others tell nothing by name.
void add_words(const std::string& text, Json& options) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) continue;
    options[word.substr(0, equals)] = value_of(word.substr(equals + 1));
  }
}

// What to_string(QatOptions) leaves out where it is the default.
Json training_defaults() {
  const quant::QatTrainingOptions options;
  const quant::QatQuantizers quantizers;
  return {{"optimizer", train::to_string(options.optimizer.method)},
          {"adder-gradient",
           options.adder_gradient == train::AdderGradient::exact ? "exact" : "addernet"},
          {"precision", train::to_string(options.precision)},
          {"train-images", options.training_images},
          {"post-levels", quantizers.magnitudes},
          {"adapter-start", quant::to_string(quantizers.adapter_start)}};
}

void print_options(const char* title, const Json& options) {
  std::printf("%s\n", title);
  for (const auto& [name, value] : options.items()) {
    const std::string text = value.is_string() ? value.get<std::string>()
                             : value.is_null() ? "the default"
                                               : value.dump();
    std::printf("  %-22s %s\n", name.c_str(), text.c_str());
  }
}

void run(const Arguments& arguments) {
  network::read_package(arguments.package);  // refuses what is none
  const auto metadata = network::read_safetensors(arguments.package).metadata;
  const auto recipe = metadata.find("recipe");
  Json training, plan;  // null where the package does not tell
  if (recipe != metadata.end()) {
    const std::string& text = recipe->second;
    const std::string mark = " plan: ";
    const std::size_t at = text.find(mark);
    const bool trained = at != std::string::npos;  // by qat, not by quantize
    if (trained) {
      training = training_defaults();
      add_words(text.substr(0, at), training);
    }
    plan = {{"fraction-bits", nullptr}};
    add_words(trained ? text.substr(at) : text, plan);
  }
  if (arguments.json) {
    print_json("recipe", {{"package", arguments.package}, {"training", training}, {"plan", plan}});
  } else if (plan.is_null()) {
    std::printf("%s does not tell how it was made\n", arguments.package.c_str());
  } else {
    if (!training.is_null()) print_options("training:", training);
    print_options("plan:", plan);
  }
}

}  // namespace

void add_recipe_command(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "recipe", "Tell by which options a package was made, the defaults included");
  command->add_option("--package", arguments->package, "Integer network package (.safetensors)")
      ->required();
  add_json_option(*command, arguments->json);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace abacus::cli
