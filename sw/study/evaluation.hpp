// Points of a study simulated over worker processes and kept as they finish.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sw/study/point_work.hpp"
#include "sw/study/store.hpp"
#include "sw/study/worker_pool.hpp"

namespace abacus::study {

struct Progress {
  std::int64_t done = 0;  // of all kinds
  std::int64_t kept = 0;  // of them, from an earlier command
  std::int64_t infeasible = 0;
  std::int64_t failed = 0;

  Progress& operator+=(const Progress& other);
  std::string text() const;  // "997 done, 3 infeasible, 1 failed"
};

class Evaluation {
 public:
  using Tell = std::function<void(const Progress& progress)>;

  // All must outlive it. `retry_failed`: points that failed are simulated again.
  Evaluation(const Study& study, PointRuns& runs, Store& store, int jobs, bool retry_failed,
             Tell tell);

  // Each point's result is in the store when it returns: simulated now, or kept from before where its hash is still
  // the same. A point whose process is killed from outside is tried again, three times in all. Throws Stopped, and
  // std::runtime_error where the store cannot be written; what has finished stays.
  void run(const std::vector<std::int64_t>& numbers);

  const Progress& progress() const { return progress_; }

 private:
  void give_tasks();
  void take(const WorkerPool::Answer& answer);
  void take_point(std::int64_t number, const nlohmann::json& answer);
  void wait_for_images(std::int64_t number, const nlohmann::json& answer);
  void take_images(const std::string& key, std::int64_t first, const std::string& outcome);
  void keep(std::int64_t number, const nlohmann::json& answer);

  // A task that is waiting or under way, by its own number.
  struct Task {
    std::int64_t point = 0;
    std::string key;          // of functional images
    std::int64_t first = -1;  // likewise; −1: the point itself
    std::int64_t count = 0;
    int killed = 0;
  };
  struct Images {
    std::map<std::int64_t, std::string> parts;  // outcomes by the first image; empty: under way
    std::int64_t missing = 0;
    std::string outcome;                // when all are there
    std::string error;                  // of a part
    std::vector<std::int64_t> waiting;  // points
  };

  void enqueue(Task task);

  const Study& study_;
  Points points_;
  Store& store_;
  bool retry_failed_;
  Tell tell_;
  PointWork work_;
  WorkerPool pool_;
  std::map<std::int64_t, Task> tasks_;
  std::deque<std::int64_t> queue_;
  std::int64_t next_ = 0;
  std::int64_t open_points_ = 0;
  std::map<std::string, Images> images_;
  std::map<std::int64_t, std::string> key_of_;  // of points that wait, or have waited
  Progress progress_;
};

}  // namespace abacus::study
