#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sw/cli/shared/integer_option.hpp"
#include "sw/cli/shared/json_output.hpp"
#include "sw/cli/trainer/commands.hpp"
#include "sw/quant/weights/level_sets.hpp"
#include "sw/quant/weights/weight_quantizer.hpp"

namespace abacus::cli {
namespace {

struct Arguments {
  int bits = 4;
  bool json = false;
};

using LevelSet = std::pair<std::string, std::vector<double>>;

std::vector<LevelSet> level_sets(int bits) {
  return {{"uniform", quant::uniform_levels(bits)},
          {"zero-free", quant::zero_free_levels(bits)},
          {"lsq", quant::twos_complement_levels(bits)},
          {"pot", quant::power_of_two_levels(bits)},
          {"apot", quant::additive_power_of_two_levels(bits)},
          {"post", quant::power_of_root_two_levels(quant::default_magnitudes(bits))}};
}

void run(const Arguments& arguments) {
  const std::vector<LevelSet> sets = level_sets(arguments.bits);
  if (arguments.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const auto& [name, levels] : sets) list.push_back({{"name", name}, {"levels", levels}});
    print_json("levels", {{"bits", arguments.bits},
                          {"exponent_quantile", quant::exponent_quantile},
                          {"level_sets", list}});
    return;
  }
  for (const auto& [name, levels] : sets) {
    std::printf("%s:", name.c_str());
    for (const double level : levels) std::printf(" %.6g", level);
    std::printf("\n");
  }
}

}  // namespace

void add_levels_command(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "levels", "List the levels that weight quantizers round to, over their largest");
  add_integer(*command, "--bits", arguments->bits, "Of the weights", {2, 8});
  add_json_option(*command, arguments->json);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace abacus::cli
