// A study from its file to the points in its folder: `abacus explore`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sw/experiment/run_inputs.hpp"

namespace abacus::study {

// Who runs the processes.
enum class Engine { local, slurm };

struct ExploreOptions {
  std::filesystem::path study;
  std::filesystem::path out;
  int jobs = 0;   // processes; 0: one a processor. Of a task of Slurm's; 0: one
  int shard = 1;  // of `shards`: every so manieth point, from this one
  int shards = 1;
  bool dry_run = false;
  bool yes = false;  // more points than most_points
  bool retry_failed = false;
  bool quiet = false;
  Engine engine = Engine::local;
  std::int64_t chunk = 0;           // of slurm: points a task; 0: the study's
  std::vector<std::string> sbatch;  // of slurm: options, after the study's
  experiment::PackageOptions package;
};

// More need --yes.
inline constexpr std::int64_t most_points_unasked = 10'000;

struct ExploreResult {
  std::int64_t points = 0;
  std::int64_t ok = 0;
  std::int64_t infeasible = 0;
  std::int64_t failed = 0;
};

// Throws InputError for what is wrong with the study, std::runtime_error, Stopped; finished points stay in the folder,
// and the same call goes on from there.
ExploreResult explore(const ExploreOptions& options);

}  // namespace abacus::study
