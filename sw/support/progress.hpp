// Progress of long work on stderr, with the time left: a bar on a terminal, elsewhere a plain line
// a few times a minute.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace abacus::support {

class Progress {
 public:
  // Prints nothing before the work has taken two seconds.
  Progress(std::string title, std::int64_t total, std::int64_t already_done = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `note` is shown behind the numbers.
  void update(std::int64_t done, const std::string& note = "");

 private:
  using Clock = std::chrono::steady_clock;

  std::string title_;
  std::int64_t total_;
  std::int64_t first_;
  Clock::time_point start_;
  Clock::time_point last_shown_;
  bool terminal_;
  bool shown_ = false;
};

// Work in stages, one bar each: a stage that has another name than the one before begins a new bar.
class StageProgress {
 public:
  void update(const std::string& stage, std::int64_t done, std::int64_t total);

 private:
  std::string stage_;
  std::unique_ptr<Progress> bar_;
};

// "1:02:03", or "2:03" below an hour.
std::string duration_text(double seconds);

}  // namespace abacus::support
