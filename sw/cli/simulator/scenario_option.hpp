// The options of commands that take a scenario.
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

// Where images and integer packages come from.
inline void add_folders(CLI::App& command, std::filesystem::path& data_root,
                        std::filesystem::path& cache) {
  command.add_option("--data", data_root,
                     "Folder of the data sets; default: ABACUS_DATA, else Debian's package");
  command.add_option("--cache", cache, "Folder of integer packages; default: ~/.cache/abacus");
}

}  // namespace abacus::cli
