// Slurm, as far as an array of tasks needs it: by its commands sbatch and squeue.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace abacus::study {

class SlurmQueue {
 public:
  // Of the jobs of this name alone. Throws std::runtime_error where Slurm's commands are not there.
  explicit SlurmQueue(std::string name);

  // Indices of tasks that wait or run. Throws std::runtime_error with what squeue says.
  std::set<std::int64_t> alive() const;

  // An array of these tasks, for which `script` finds its index in SLURM_ARRAY_TASK_ID. What each prints is added to
  // `logs`/INDEX.log. `options`: of sbatch, last, so that they win. Throws std::runtime_error with what sbatch says.
  void submit(const std::set<std::int64_t>& indices, const std::filesystem::path& script,
              const std::filesystem::path& logs, const std::vector<std::string>& options) const;

 private:
  std::string name_;
  std::filesystem::path sbatch_;
  std::filesystem::path squeue_;
};

// "1-3,7"
std::string ranges_text(const std::set<std::int64_t>& numbers);

}  // namespace abacus::study
