// `abacus simulate SCENARIO.toml`
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace abacus::cli {

struct SimulateOptions {
  std::filesystem::path scenario;     // "-": the standard input
  std::vector<std::string> settings;  // KEY=VALUE, as read_scenario() takes them
  std::filesystem::path data_root;
  std::filesystem::path out;    // folder of results.json; empty: results/NAME
  std::filesystem::path cache;  // empty: default_cache_folder()
  int jobs = 0;                 // processes; 0: one a processor
  std::int64_t images = -1;     // instead of the scenario's; −1: the scenario's
  bool check = false;
  std::int64_t check_images = 10;
  bool quiet = false;
};

// Runs the scenario and writes results.json, once all runs are finished; until then those that are lie beside it
// (sw/experiment/partial_results.hpp), and the same call goes on from there. Returns the program's exit status: 0, or 1 where
// --check found a difference (results.json then says so). Throws std::runtime_error for everything
// that leaves no results, Stopped for SIGINT and SIGTERM.
int simulate(const SimulateOptions& options);

}  // namespace abacus::cli
