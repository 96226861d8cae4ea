// Processes that take many tasks each, forked from this one with all that it has in memory.
#pragma once

#include <sys/types.h>

#include <boost/process/pipe.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

namespace abacus::study {

class WorkerPool {
 public:
  // A line in, a line out, in a worker, which ends by _exit(). What it throws ends the worker.
  using Work = std::function<std::string(const std::string& task)>;

  WorkerPool(int workers, Work work);
  // Ends and reaps them.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  bool has_idle() const;
  // To an idle worker. `task`: one line.
  void give(std::int64_t number, const std::string& task);

  struct Answer {
    std::int64_t number = 0;
    std::optional<std::string> text;  // none: the worker's process ended; there is a new one
    bool killed = false;  // from outside (SIGKILL, SIGTERM): the task may be tried again
    std::string how;      // else: its status, and what it wrote to standard error
  };
  // Those that have arrived; waits for the first one, for at most 0.2 s. Throws Stopped where we are asked to stop.
  std::vector<Answer> wait();

 private:
  struct Worker {
    boost::process::pipe tasks;
    boost::process::pipe answers;
    pid_t process = -1;
    std::optional<std::int64_t> task;
    std::string buffer;
    int log = -1;  // its standard error, in memory
  };

  void start(Worker& worker);
  // Its status, as waitpid() has it.
  static int end(Worker& worker);
  static Answer farewell(const Worker& worker, int wait_status);

  Work work_;
  std::list<Worker> workers_;
};

}  // namespace abacus::study
