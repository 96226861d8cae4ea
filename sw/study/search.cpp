#include "sw/study/search.hpp"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>

#include "sw/experiment/resources.hpp"
#include "sw/study/metric_names.hpp"
#include "sw/support/child_process.hpp"

namespace abacus::study {
namespace {

using Json = nlohmann::json;

// Of points that are none; no result comes near.
constexpr double misses_a_constraint = 1e100;
constexpr double is_infeasible = 2e100;
constexpr double is_left_out = 3e100;

// Without a new point, before a search is over.
constexpr int most_idle_generations = 100;

std::string opening_of(const Study& study) {
  Json coordinates = Json::array();
  for (const Axis& axis : study.axes) {
    const bool ordered =
        std::all_of(axis.values.begin(), axis.values.end(), [](const reading::Node& value) {
          return std::holds_alternative<double>(scalar_of(value));
        });
    coordinates.push_back({{"choices", axis.values.size()}, {"ordered", ordered}});
  }
  return Json({{"coordinates", coordinates},
               {"objectives", study.objectives.size()},
               {"population", study.method.population},
               {"seed", study.method.seed}})
      .dump();
}

support::Dialogue start() {
  const std::filesystem::path program = experiment::find_program(search_program);
  if (program.empty()) {
    throw std::runtime_error(std::string("method nsga2: there is no program ") + search_program +
                             " beside abacus or on PATH; it is built where pagmo is (Debian: "
                             "libpagmo-dev, scripts/setup.sh)");
  }
  return support::Dialogue(program, {});
}

Scalar scalar(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  return std::monostate();
}

class Searching {
 public:
  Searching(const Study& study, PointRuns& runs, Store& store, int jobs, bool retry_failed,
            const Evaluation::Tell& tell)
      : study_(study),
        points_(study),
        runs_(runs),
        store_(store),
        jobs_(jobs),
        retry_failed_(retry_failed),
        tell_(tell) {}

  std::vector<std::int64_t> run() {
    support::Dialogue dialogue = start();
    Json asked = Json::parse(dialogue.ask(opening_of(study_)));
    for (int idle = 0; idle < most_idle_generations; ++idle) {
      std::vector<std::int64_t> generation;
      for (const auto& position : asked.get<std::vector<std::vector<std::size_t>>>()) {
        generation.push_back(points_.number(position));
      }
      if (simulate(new_of(generation))) idle = -1;
      const auto end = static_cast<std::int64_t>(simulated_.size());
      if (end >= study_.method.points || end == points_.grid_size()) break;
      Json costs = Json::array();
      for (const std::int64_t number : generation) costs.push_back(costs_.at(number));
      asked = Json::parse(dialogue.ask(costs.dump()));
    }
    return {simulated_.begin(), simulated_.end()};
  }

 private:
  // Those that have not been asked for before; as many as the budget has.
  std::vector<std::int64_t> new_of(const std::vector<std::int64_t>& generation) {
    std::vector<std::int64_t> found;
    for (const std::int64_t number : generation) {
      if (costs_.count(number) != 0) continue;
      if (!points_.is_wanted(number)) {
        costs_[number] = std::vector<double>(study_.objectives.size(), is_left_out);
      } else if (static_cast<std::int64_t>(simulated_.size()) < study_.method.points &&
                 simulated_.insert(number).second) {
        found.push_back(number);
      }
    }
    return found;
  }

  // Whether there is something to simulate.
  bool simulate(const std::vector<std::int64_t>& numbers) {
    if (numbers.empty()) return false;
    // Workers know the packages that were there when they began.
    if (runs_.prepare(numbers) || !evaluation_) {
      if (evaluation_) before_ += evaluation_->progress();
      evaluation_ = std::make_unique<Evaluation>(study_, runs_, store_, jobs_, retry_failed_,
                                                 [this](const Progress& now) {
                                                   Progress all = before_;
                                                   tell_(all += now);
                                                 });
    }
    evaluation_->run(numbers);
    for (const std::int64_t number : numbers) costs_[number] = costs_of(number);
    return true;
  }

  std::vector<double> costs_of(std::int64_t number) {
    const StoredPoint point = store_.find(number).value();
    if (point.status != "ok") {
      return std::vector<double>(study_.objectives.size(), is_infeasible);
    }
    const Json metrics = Json::parse(point.metrics);
    const auto value = [&](const std::string& name) {
      const std::string metric = metric_of(name);
      return metric.empty() ? points_.value(number, name) : scalar(metrics.value(metric, Json()));
    };
    if (!std::all_of(study_.constraints.begin(), study_.constraints.end(),
                     [&](const Expression& constraint) { return constraint.holds(value); })) {
      return std::vector<double>(study_.objectives.size(), misses_a_constraint);
    }
    std::vector<double> costs;
    for (const Objective& objective : study_.objectives) {
      const Json of = metrics.value(objective.metric, Json());
      if (!of.is_number()) {
        throw reading::InputError(study_.file.string() + ": point " + points_.text(number) +
                                  " has no " + objective.metric + ", an objective of the search");
      }
      costs.push_back(objective.maximise ? -of.get<double>() : of.get<double>());
    }
    return costs;
  }

  const Study& study_;
  Points points_;
  PointRuns& runs_;
  Store& store_;
  int jobs_;
  bool retry_failed_;
  const Evaluation::Tell& tell_;
  std::unique_ptr<Evaluation> evaluation_;
  Progress before_;  // of evaluations that are over
  std::set<std::int64_t> simulated_;
  std::map<std::int64_t, std::vector<double>> costs_;
};

}  // namespace

std::vector<std::int64_t> search(const Study& study, PointRuns& runs, Store& store, int jobs,
                                 bool retry_failed, const Evaluation::Tell& tell) {
  return Searching(study, runs, store, jobs, retry_failed, tell).run();
}

}  // namespace abacus::study
