#include "sw/study/slurm.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <stdexcept>
#include <thread>

#include "sw/experiment/resources.hpp"
#include "sw/network/safetensors.hpp"
#include "sw/study/slurm_queue.hpp"
#include "sw/study/store.hpp"
#include "sw/support/file_lock.hpp"
#include "sw/support/log.hpp"
#include "sw/support/output_file.hpp"
#include "sw/support/progress.hpp"
#include "sw/support/stop_request.hpp"

namespace abacus::study {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t most_tasks =
    1000;  // Slurm's MaxArraySize is 1001 unless somebody has changed it
constexpr std::int64_t points_a_task = 250;
constexpr int most_tries = 3;
constexpr int most_silent_polls = 60;  // slurmctld may restart

std::int64_t tasks_of(std::int64_t points, const ExploreOptions& options, const Study& study) {
  const std::int64_t asked = options.chunk > 0 ? options.chunk : study.slurm.chunk;
  const std::int64_t chunk = asked > 0 ? asked : points_a_task;
  const std::int64_t tasks = (points + chunk - 1) / chunk;
  if (asked > 0 && tasks > most_tasks) {
    throw std::runtime_error("--chunk: found " + std::to_string(asked) + ", which are " +
                             std::to_string(tasks) +
                             " tasks; allowed: " + std::to_string(most_tasks));
  }
  return std::min(tasks, most_tasks);
}

// For the shell.
std::string quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char letter : text) quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
  return quoted + "'";
}

struct Counts {
  std::int64_t all = 0;
  std::int64_t infeasible = 0;
  std::int64_t failed = 0;
};

// Of a shard at which nobody works.
std::size_t points_in(const fs::path& shard) {
  try {
    return read_store(shard).points.size();
  } catch (const std::runtime_error&) {
    return 0;
  }
}

bool is_of(const Study& study, const StudyIdentity& found) {
  const StudyIdentity own = identity_of(study);
  return found.name == own.name && found.axes == own.axes;
}

class Campaign {
 public:
  Campaign(const Study& study, std::int64_t points, const ExploreOptions& options)
      : study_(study),
        options_(options),
        out_(fs::absolute(options.out)),
        shards_(out_ / "shards"),
        points_(points),
        tasks_(tasks_of(points, options, study)),
        stamp_(stamp()),
        queue_(name()) {
    support::make_output_folder(out_);
    lock_.emplace(lock_study(out_));
    if (fs::exists(store_file(out_)) && !is_of(study, read_store(out_).identity)) {
      throw std::runtime_error(out_.string() +
                               ": holds another study; give another folder by --out");
    }
    support::make_output_folder(shards_);
  }

  ExploreResult run() {
    write_script();
    std::unique_ptr<support::Progress> bar;
    if (!options_.quiet) bar = std::make_unique<support::Progress>(study_.name, points_);
    try {
      follow([&] {
        if (bar) bar->update(counts_.all, text());
      });
    } catch (const support::Stopped&) {
      support::log_info("the tasks go on in Slurm; the same command follows them, scancel --name=" +
                        name() + " ends them");
      throw;
    }
    collect();
    return {counts_.all, counts_.all - counts_.infeasible - counts_.failed, counts_.infeasible,
            counts_.failed};
  }

 private:
  // What a task's end is an end of.
  std::string stamp() const {
    return network::sha256_text(study_.text + '\0' + study_.base.text + '\0' +
                                experiment::ReadFiles().sha256(experiment::own_executable()) +
                                '\0' + std::to_string(tasks_));
  }

  // Of the folder: whatever has been submitted for it is in the way, of another text of the study, too.
  std::string name() const { return "abacus-" + network::sha256_text(out_.string()).substr(0, 16); }

  fs::path shard(std::int64_t task) const {
    return shards_ / (std::to_string(task) + "-of-" + std::to_string(tasks_));
  }
  fs::path status_file(std::int64_t task) const {
    return shards_ / (std::to_string(task) + ".status");
  }
  fs::path script() const { return shards_ / "task.sh"; }

  void write_script() const {
    std::string command = quoted(experiment::own_executable().string()) + " explore " +
                          quoted(fs::absolute(options_.study).string()) + " --shard=\"$task/" +
                          std::to_string(tasks_) + "\" --out=" + quoted(shards_.string()) +
                          "/\"$task-of-" + std::to_string(tasks_) +
                          "\" --jobs=" + std::to_string(std::max(1, options_.jobs)) +
                          " --quiet --yes";
    if (options_.retry_failed) command += " --retry-failed";
    for (const auto& [option, path] : {std::pair{"--data", options_.package.data_root},
                                       std::pair{"--cache", options_.package.cache}}) {
      if (!path.empty())
        command += ' ' + quoted(std::string(option) + '=' + fs::absolute(path).string());
    }
    support::write_output(script(), [&](std::ostream& out) {
      out << "#!/bin/sh\n"
             "# A task of abacus explore --engine slurm.\n"
             "task=$SLURM_ARRAY_TASK_ID\n"
          << command << "\nstatus=$?\ncd " << quoted(shards_.string())
          << " || exit 1\n"
             "echo \""
          << stamp_
          << " $status\" > \"$task.status.new\" && mv \"$task.status.new\" \"$task.status\"\n"
             "exit $status\n";
    });
  }

  // Whether it has ended, as it says itself, with this study's shard finished.
  bool finished(std::int64_t task) {
    std::ifstream file(status_file(task));
    std::string stamp;
    int status = 0;
    if (!(file >> stamp >> status) || stamp != stamp_) return false;
    try {
      const StoredStudy stored = read_store(shard(task));
      if (static_cast<std::int64_t>(stored.points.size()) != stored.wanted) return false;
      counts_.all += stored.wanted;
      for (const StoredPoint& point : stored.points) {
        counts_.infeasible += point.status == "infeasible" ? 1 : 0;
        counts_.failed += point.status == "failed" ? 1 : 0;
      }
      return true;
    } catch (const std::runtime_error&) {
      return false;  // it ended before it had written anything
    }
  }

  template <typename Tell>
  void follow(const Tell& tell) {
    std::set<std::int64_t> open;
    for (std::int64_t task = 1; task <= tasks_; ++task) open.insert(task);
    std::map<std::int64_t, int> tries;
    std::map<std::int64_t, std::size_t> kept;
    std::set<std::int64_t> missed;  // at the last look
    bool heard = false;
    int silent = 0;
    for (auto pause = std::chrono::milliseconds(0);; pause = std::chrono::milliseconds(1000)) {
      wait(pause);
      std::set<std::int64_t> alive;
      try {
        alive = queue_.alive();
        silent = 0;
        heard = true;
      } catch (const std::runtime_error&) {
        if (!heard || ++silent > most_silent_polls) throw;
        continue;
      }
      for (auto task = open.begin(); task != open.end();) {
        task = alive.count(*task) == 0 && finished(*task) ? open.erase(task) : std::next(task);
      }
      tell();
      if (open.empty()) return;
      // A file that another host has written may be seen later than the queue: who is missed twice is gone.
      std::set<std::int64_t> gone;
      std::set<std::int64_t> missing;
      for (const std::int64_t task : open) {
        if (alive.count(task) != 0) continue;
        missing.insert(task);
        if (tries.count(task) == 0 || missed.count(task) != 0) gone.insert(task);
      }
      missed = missing;
      if (gone.empty()) continue;
      for (const std::int64_t task : gone) {
        // Who gets on, say from one time limit to the next, may go on.
        const std::size_t now = points_in(shard(task));
        if (now > kept[task]) tries[task] = 0;
        kept[task] = now;
        if (++tries[task] > most_tries) refuse(task);
      }
      std::vector<std::string> asked = study_.slurm.sbatch;
      asked.insert(asked.end(), options_.sbatch.begin(), options_.sbatch.end());
      asked.insert(asked.begin(), "--cpus-per-task=" + std::to_string(std::max(1, options_.jobs)));
      queue_.submit(gone, script(), shards_, asked);
      missed.clear();
    }
  }

  static void wait(std::chrono::milliseconds pause) {
    constexpr std::chrono::milliseconds step(50);
    for (auto waited = std::chrono::milliseconds(0); waited < pause; waited += step) {
      std::this_thread::sleep_for(step);
      if (support::stop_requested()) throw support::Stopped();
    }
  }

  [[noreturn]] void refuse(std::int64_t task) const {
    const fs::path log = shards_ / (std::to_string(task) + ".log");
    std::ifstream file(log);
    std::string last;
    for (std::string line; std::getline(file, line);) {
      if (!line.empty()) last = line;
    }
    throw std::runtime_error("task " + std::to_string(task) + " of " + std::to_string(tasks_) +
                             " ended " + std::to_string(most_tries) +
                             " times without getting on; " + log.string() +
                             (last.empty() ? " is empty" : " ends with: " + last));
  }

  void collect() {
    std::vector<fs::path> shards;
    for (std::int64_t task = 1; task <= tasks_; ++task) shards.push_back(shard(task));
    const fs::path whole = shards_ / "whole";
    fs::remove_all(whole);  // of a command that was killed
    collect_stores(shards, whole);
    fs::rename(store_file(whole), store_file(out_));
    fs::remove_all(whole);
    // The same command looks at each point again, as it does without Slurm.
    for (std::int64_t task = 1; task <= tasks_; ++task) fs::remove(status_file(task));
  }

  std::string text() const {
    return std::to_string(counts_.all) + " done, " + std::to_string(counts_.infeasible) +
           " infeasible, " + std::to_string(counts_.failed) + " failed";
  }

  const Study& study_;
  const ExploreOptions& options_;
  fs::path out_;
  fs::path shards_;
  std::int64_t points_;
  std::int64_t tasks_;
  std::string stamp_;
  SlurmQueue queue_;
  std::optional<support::FileLock> lock_;
  Counts counts_;  // of finished tasks
};

}  // namespace

ExploreResult explore_by_slurm(const Study& study, const std::vector<std::int64_t>& numbers,
                               const ExploreOptions& options) {
  return Campaign(study, static_cast<std::int64_t>(numbers.size()), options).run();
}

}  // namespace abacus::study
