#include "sw/study/point_work.hpp"

#include <chrono>

#include "sw/experiment/results.hpp"
#include "sw/experiment/simulation.hpp"
#include "sw/schedule/program.hpp"
#include "sw/study/metric_names.hpp"
#include "sw/support/stop_request.hpp"

namespace abacus::study {
namespace {

using Json = nlohmann::json;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Of random weights there are no images but the timed ones' like.
experiment::SimulationSlice timed_slice(const experiment::RunSpec& run) {
  return {0, run.timed_images, run.timed_images, 0};
}

bool needs_functional(const experiment::RunSpec& run) { return run.images > run.timed_images; }

experiment::RunOutcome simulate(const experiment::RunSpec& run, const experiment::Package& package,
                                const schedule::Program& program, const network::Dataset& images,
                                const experiment::SimulationSlice& slice) {
  return experiment::simulate_slice(package.network, program, run.hardware, run.level, run.engine,
                                    images, slice, [](std::int64_t) {});
}

schedule::Program scheduled(const experiment::RunSpec& run, const experiment::Package& package) {
  try {
    return schedule::schedule(package.network, run.hardware);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw Infeasible(error.what());
  }
}

// What `work` answers, or why it has no answer.
template <typename Work>
Json judged(const std::string& hash, const Work& work) {
  const auto told = [&](const char* status, const std::exception& error) {
    return Json{{"status", status}, {"hash", hash}, {"reason", error.what()}};
  };
  try {
    return work();
  } catch (const support::Stopped&) {
    throw;
  } catch (const Infeasible& error) {
    return told("infeasible", error);
  } catch (const std::exception& error) {
    return told("failed", error);
  }
}

}  // namespace

Json PointWork::answer(const Json& task) {
  std::string hash;
  return judged(hash, [&] { return answer(task, hash); });
}

Json PointWork::answer(const Json& task, std::string& hash) {
  const auto start = std::chrono::steady_clock::now();
  experiment::RunSpec run = runs_.run(task.at("number"));
  const bool of_images = task.contains("count");
  if (!of_images) {
    hash = runs_.hash(run);
    if (task.value("known", "") == hash) return {{"status", "same"}};
  }
  const experiment::Package& package = runs_.package(run);
  const std::string key =
      needs_functional(run) && !of_images ? runs_.functional_hash(run, package) : "";
  if (task.contains("functional")) functional_[key] = task["functional"];
  const auto known = functional_.find(key);
  const network::Dataset random = run.dataset.empty() ? runs_.images(run) : network::Dataset();
  const network::Dataset& images = run.dataset.empty() ? random : runs_.dataset(run);
  return judged(hash, [&]() -> Json {
    const schedule::Program program = scheduled(run, package);
    if (task.value("plan", false)) return {{"status", "ok"}, {"seconds", seconds_since(start)}};
    if (of_images) {
      const experiment::SimulationSlice slice{task.at("first"), task.at("count"), 0, 0};
      return {{"status", "images"},
              {"outcome", experiment::to_json(simulate(run, package, program, images, slice))}};
    }
    if (!key.empty() && known == functional_.end()) {
      return {{"status", "needs"}, {"key", key}, {"first", run.timed_images}, {"end", run.images}};
    }
    experiment::RunOutcome outcome;
    if (run.timed_images > 0) outcome = simulate(run, package, program, images, timed_slice(run));
    if (!key.empty()) {
      experiment::append(outcome, experiment::outcome_from_json(known->second));
    }
    const std::string metrics =
        metrics_of(
            experiment::run_results(run, package.network, package.sha256, program, outcome, false))
            .dump();
    return {{"status", "ok"},
            {"hash", hash},
            {"package", package.sha256},
            {"metrics", metrics},
            {"seconds", seconds_since(start)}};
  });
}

}  // namespace abacus::study
