#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/energy/energy_table.hpp"
#include "sw/cli/shared/command_exit.hpp"
#include "sw/cli/shared/integer_option.hpp"
#include "sw/cli/shared/json_output.hpp"
#include "sw/cli/simulator/commands.hpp"
#include "sw/experiment/resources.hpp"
#include "sw/experiment/table_files.hpp"

namespace abacus::cli {
namespace {

struct Arguments {
  std::string table;
  std::vector<int> bits = {8};
  bool json = false;
};

struct Price {
  models::Action action;
  int bits;
  double picojoules;
};

models::EnergyTable read_table(const std::string& name) {
  const std::filesystem::path folder = experiment::resource_folder() / "scenarios" / "energy";
  const std::filesystem::path file =
      experiment::find_preset(name, folder, std::filesystem::current_path());
  if (!file.empty()) return experiment::read_energy_table(file);
  std::string allowed;
  for (const std::string& preset : experiment::preset_names(folder)) allowed += preset + ", ";
  throw std::runtime_error("energy: there is no table " + name + "; allowed: " + allowed +
                           "or a path to a table");
}

// The law behind multiples of another action.
models::EnergyLaw law_of(const models::EnergyTable& table, const models::EnergyEntry& entry) {
  return entry.law == models::EnergyLaw::multiple ? table.entries().at(entry.of).law : entry.law;
}

// Of one action; nothing where the price follows from a memory's size, which no width tells. Of time it is
// the power, in mW.
std::optional<double> price(const models::EnergyTable& table, models::Action action,
                            const models::EnergyEntry& entry, int bits) {
  const models::EnergyLaw law = law_of(table, entry);
  if (law == models::EnergyLaw::capacity || law == models::EnergyLaw::bank) return std::nullopt;
  const int other_bits = law == models::EnergyLaw::width_product ? bits : 0;
  const models::Activity::Key key = {-1, models::Component::pe_array, action, bits, other_bits};
  return table.picojoules(key, hw::HardwareConfig{});
}

void run(const Arguments& arguments) {
  const models::EnergyTable table = read_table(arguments.table);
  std::vector<Price> prices;
  for (const auto& [action, entry] : table.entries()) {
    for (const int bits : arguments.bits) {
      const std::optional<double> picojoules = price(table, action, entry, bits);
      if (picojoules) prices.push_back({action, bits, *picojoules});
    }
  }
  if (arguments.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Price& one : prices) {
      list.push_back(
          {{"action", models::to_string(one.action)}, {"bits", one.bits}, {"pj", one.picojoules}});
    }
    print_json("energy", {{"table", table.name()},
                          {"title", table.title()},
                          {"technology", table.technology()},
                          {"prices", list}});
    return;
  }
  std::printf("%s: %s, %s\n", table.name().c_str(), table.title().c_str(),
              table.technology().c_str());
  for (const Price& one : prices) {
    std::printf("%-20s %3d bits  %.6g pJ\n", models::to_string(one.action).c_str(), one.bits,
                one.picojoules);
  }
}

}  // namespace

void add_energy_command(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "energy",
      "Tell what an energy table's actions cost at given widths, memories' accesses left out");
  command->add_option("table", arguments->table, "Energy table, by name or path")->required();
  add_integers(*command, "--bits", arguments->bits, "Widths of the operands, as in 8,32",
               {1, 1024});
  add_json_option(*command, arguments->json);
  command->callback([arguments] {
    run(*arguments);
    throw CommandExit{0};
  });
}

}  // namespace abacus::cli
