// A study over a cluster: an array of Slurm tasks, each of which explores a shard into a folder of its own.
//
//   OUT/shards/TASK-of-TASKS/    the shard's study.sqlite
//   OUT/shards/task.sh, *.log    what a task runs, and what it printed
//   OUT/shards/TASK.status       written at a task's end: which study, and the exit status
//   OUT/study.sqlite             all of it, written once, when all tasks have ended
//
// The folder must be seen by all nodes under the same path, as must the program.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/study/explore.hpp"
#include "sw/study/study.hpp"

namespace abacus::study {

// Submits what is neither finished nor in Slurm's queue, follows it, submits again what ended without finishing (up to
// three times without a new point), and collects. May be ended and called again at any moment; tasks go on in Slurm meanwhile. Packages are
// there already. Throws std::runtime_error where there is no Slurm or a task fails for good, Stopped.
ExploreResult explore_by_slurm(const Study& study, const std::vector<std::int64_t>& numbers,
                               const ExploreOptions& options);

}  // namespace abacus::study
