// The scenario that a command takes, with its --set.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace abacus::cli {

// As experiment::read_scenario() takes both.
inline void add_scenario(CLI::App& command, std::filesystem::path& scenario,
                         std::vector<std::string>& settings) {
  command.add_option("scenario", scenario, "Scenario file (TOML); -: standard input")->required();
  command
      .add_option("--set", settings,
                  "A key of the scenario with another value for all runs: "
                  "hardware.array.rows=8; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

}  // namespace abacus::cli
