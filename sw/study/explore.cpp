#include "sw/study/explore.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "sw/study/evaluation.hpp"
#include "sw/study/search.hpp"
#include "sw/study/slurm.hpp"
#include "sw/support/log.hpp"
#include "sw/support/progress.hpp"
#include "sw/support/stop_request.hpp"

namespace abacus::study {
namespace {

std::vector<std::int64_t> of_shard(const std::vector<std::int64_t>& numbers,
                                   const ExploreOptions& options) {
  std::vector<std::int64_t> own;
  for (std::size_t i = static_cast<std::size_t>(options.shard - 1); i < numbers.size();
       i += static_cast<std::size_t>(options.shards)) {
    own.push_back(numbers[i]);
  }
  return own;
}

int jobs_of(const ExploreOptions& options) {
  return options.jobs > 0 ? options.jobs
                          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::string points_text(std::int64_t count) {
  return std::to_string(count) + (count == 1 ? " point" : " points");
}

// Whether each point fits, and the time by a few that do.
ExploreResult dry_run(const Study& study, PointRuns& runs, const std::vector<std::int64_t>& numbers,
                      const ExploreOptions& options) {
  constexpr std::size_t simulated = 3;
  constexpr int named = 20;
  const Points points(study);
  PointWork work(runs);
  WorkerPool pool(std::min<int>(jobs_of(options), static_cast<int>(numbers.size())),
                  [&](const std::string& task) {
                    return work.answer(nlohmann::json::parse(task))
                        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
                  });
  ExploreResult result;
  result.points = static_cast<std::int64_t>(numbers.size());
  std::vector<std::int64_t> fit;
  std::map<std::int64_t, std::string> others;  // what is the matter with them
  std::vector<double> seconds;
  const auto ask = [&](const std::vector<std::int64_t>& asked, bool plan, const auto& take) {
    std::size_t given = 0;
    for (std::size_t taken = 0; taken < asked.size();) {
      while (given < asked.size() && pool.has_idle()) {
        pool.give(asked[given], nlohmann::json({{"number", asked[given]}, {"plan", plan}}).dump());
        ++given;
      }
      for (const WorkerPool::Answer& answer : pool.wait()) {
        ++taken;
        take(answer.number, answer.text
                                ? nlohmann::json::parse(*answer.text)
                                : nlohmann::json({{"status", "failed"}, {"reason", answer.how}}));
      }
    }
  };
  support::Progress bar("planning", result.points);
  ask(numbers, true, [&](std::int64_t number, const nlohmann::json& answer) {
    const std::string status = answer.at("status");
    if (status == "ok") {
      fit.push_back(number);
    } else {
      ++(status == "infeasible" ? result.infeasible : result.failed);
      others[number] =
          status + "  " + points.text(number) + ": " + answer.at("reason").get<std::string>();
    }
    bar.update(static_cast<std::int64_t>(fit.size() + others.size()));
  });
  result.ok = static_cast<std::int64_t>(fit.size());
  std::vector<std::int64_t> few;
  for (std::size_t i = 0; i < std::min(simulated, fit.size()); ++i) {
    few.push_back(fit[i * fit.size() / simulated]);
  }
  ask(few, false, [&](std::int64_t, const nlohmann::json& answer) {
    if (answer.at("status") == "ok") seconds.push_back(answer.at("seconds"));
  });
  int told = 0;
  for (const auto& [number, text] : others) {
    if (++told <= named) std::printf("%s\n", text.c_str());
  }
  if (told > named) std::printf("and %d more\n", told - named);
  std::printf("%s: %lld fit, %lld infeasible, %lld failed\n", points_text(result.points).c_str(),
              static_cast<long long>(result.ok), static_cast<long long>(result.infeasible),
              static_cast<long long>(result.failed));
  if (!seconds.empty()) {
    const double mean =
        std::accumulate(seconds.begin(), seconds.end(), 0.0) / static_cast<double>(seconds.size());
    std::printf(
        "about %s with --jobs %d, by %zu points\n",
        support::duration_text(mean * static_cast<double>(result.ok) / jobs_of(options)).c_str(),
        jobs_of(options), seconds.size());
  } else if (result.ok > 0) {
    std::printf("no time is told: points share images that have to be simulated first\n");
  }
  return result;
}

template <typename Work>
void telling_what_is_kept(const Store& store, const ExploreOptions& options, std::int64_t count,
                          const Work& work) {
  try {
    work();
  } catch (...) {
    support::log_info(std::to_string(store.hashes().size()) + " of " + std::to_string(count) +
                      " points are finished in " + store_file(options.out).string() +
                      "; the same command goes on");
    throw;
  }
}

ExploreResult result_of(const Progress& progress) {
  return {progress.done, progress.done - progress.infeasible - progress.failed, progress.infeasible,
          progress.failed};
}

ExploreResult search_points(const Study& study, PointRuns& runs, Store& store,
                            const ExploreOptions& options) {
  store.expect(study.method.points);
  Progress last;
  {
    std::unique_ptr<support::Progress> bar;
    if (!options.quiet) {
      bar = std::make_unique<support::Progress>(study.name, study.method.points);
    }
    telling_what_is_kept(store, options, study.method.points, [&] {
      store.want(search(study, runs, store, jobs_of(options), options.retry_failed,
                        [&](const Progress& now) {
                          last = now;
                          if (bar) bar->update(now.done, now.text());
                        }));
    });
  }
  store.finish();
  return result_of(last);
}

}  // namespace

ExploreResult explore(const ExploreOptions& options) {
  experiment::ReadFiles files;
  const Study study = read_study(options.study, files);
  const Points points(study);
  const std::vector<std::int64_t> numbers = of_shard(points.chosen(), options);
  const auto count = static_cast<std::int64_t>(numbers.size());
  if (count > most_points_unasked && !options.yes && !options.dry_run) {
    throw std::runtime_error(options.study.string() + ": has " + points_text(count) +
                             "; more than " + std::to_string(most_points_unasked) +
                             " are explored with --yes alone");
  }
  if (numbers.empty()) throw std::runtime_error("--shard: there are more shards than points");
  const bool searches = study.method.kind == MethodKind::nsga2;
  if (searches && options.shards > 1) {
    throw std::runtime_error(
        "--shard: a search has no shards, since each generation needs the one before it");
  }
  const bool by_slurm = options.engine == Engine::slurm;
  if (by_slurm && (searches || options.shards > 1)) {
    throw std::runtime_error(
        searches ? "--engine slurm: a search (method nsga2) has no tasks, since each "
                   "generation needs the one before it"
                 : "--engine slurm: goes without --shard, which its tasks have");
  }
  PointRuns runs(study, options.package);
  if (options.dry_run) {
    if (searches) {
      std::printf("a search simulates %s of %lld at most; what follows is told of random ones\n",
                  points_text(study.method.points).c_str(),
                  static_cast<long long>(points.grid_size()));
    }
    runs.prepare(numbers);
    return dry_run(study, runs, numbers, options);
  }
  if (by_slurm) {
    runs.prepare(numbers);
    return explore_by_slurm(study, numbers, options);
  }
  Store store(options.out, study,
              options.shards == 1
                  ? ""
                  : std::to_string(options.shard) + '/' + std::to_string(options.shards));
  if (searches) return search_points(study, runs, store, options);
  runs.prepare(numbers);
  store.want(numbers);
  ExploreResult result;
  {
    std::unique_ptr<support::Progress> bar;
    if (!options.quiet) bar = std::make_unique<support::Progress>(study.name, count);
    Evaluation evaluation(study, runs, store,
                          std::min<int>(jobs_of(options), static_cast<int>(count)),
                          options.retry_failed, [&](const Progress& now) {
                            if (bar) bar->update(now.done, now.text());
                          });
    telling_what_is_kept(store, options, count, [&] { evaluation.run(numbers); });
    result = result_of(evaluation.progress());
  }
  store.finish();
  return result;
}

}  // namespace abacus::study
