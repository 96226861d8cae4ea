// Work spread over forked processes.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <vector>

namespace abacus::support {

// One piece of the work: gives its result, and tells now and then how far it is.
using Report = std::function<void(std::int64_t done)>;
using Work = std::function<nlohmann::json(int task, const Report& report)>;

// Runs work(0) … work(tasks − 1), each in a forked process of its own, all at once. SystemC
// elaborates once a process, so a simulation always needs one. `progress` hears the sum of what the
// tasks reported. Returns the results in order of tasks. Throws std::runtime_error with the first
// failing task's error, Stopped where SIGINT or SIGTERM came (see stop_request.hpp); all processes
// have ended then.
std::vector<nlohmann::json> run_forked(int tasks, const Work& work, const Report& progress);

}  // namespace abacus::support
