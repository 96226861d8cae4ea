// Other programs, and work spread over forked processes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace abacus {

// SIGINT or SIGTERM arrived; the work was stopped and nothing is left of it.
class Stopped : public std::runtime_error {
 public:
  Stopped() : std::runtime_error("stopped") {}
};

enum class ChildOutput { to_stderr, to_stdout, discard };

// Runs a program and waits for it; `output` says where its stdout goes, its stderr is ours. Returns
// its exit status, 128 + the signal where one ended it. Throws std::runtime_error where it cannot
// be started, Stopped where we are asked to stop while it runs (it is told to stop first).
int run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                ChildOutput output);

struct ProgramOutput {
  int status = 0;
  std::string out;  // stdout
  std::string err;  // stderr
};

// The same, for a program whose answer is wanted.
ProgramOutput capture_program(const std::filesystem::path& program,
                              const std::vector<std::string>& arguments);

// One piece of the work: gives its result, and tells now and then how far it is.
using Report = std::function<void(std::int64_t done)>;
using Work = std::function<nlohmann::json(int task, const Report& report)>;

// Runs work(0) … work(tasks − 1), each in a forked process of its own, all at once. SystemC
// elaborates once a process, so a simulation always needs one. `progress` hears the sum of what the
// tasks reported. Returns the results in order of tasks. Throws std::runtime_error with the first
// failing task's error, Stopped where SIGINT or SIGTERM came (see stop_request.hpp); all processes
// have ended then.
std::vector<nlohmann::json> run_forked(int tasks, const Work& work, const Report& progress);

}  // namespace abacus
