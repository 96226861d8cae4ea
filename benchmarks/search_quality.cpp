// How much of a front a search has found: the hypervolume of a study's front over that of a study of all points, both
// seen from the worst value that each objective takes among all points.
//
//   build/release/bin/search_quality ALL SEARCH...     # folders of abacus explore; objectives are those of ALL
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <pagmo/utils/hypervolume.hpp>
#include <vector>

#include "sw/study/table.hpp"

namespace {

using abacus::study::StoredStudy;
using Costs = std::vector<double>;

// Less is better; of points that are ok.
std::vector<Costs> costs_of(const StoredStudy& points, const StoredStudy& all) {
  std::vector<Costs> costs;
  for (const abacus::study::StoredPoint& point : points.points) {
    if (point.status != "ok") continue;
    const auto metrics = nlohmann::json::parse(point.metrics);
    Costs& own = costs.emplace_back();
    for (const abacus::study::Objective& objective : all.objectives) {
      const double value = metrics.at(objective.metric);
      own.push_back(objective.maximise ? -value : value);
    }
  }
  return costs;
}

double hypervolume(const StoredStudy& points, const StoredStudy& all, const Costs& worst) {
  abacus::study::Wish front;
  front.objectives = all.objectives;
  front.pareto = true;
  return pagmo::hypervolume(costs_of(abacus::study::best(points, front), all), true).compute(worst);
}

}  // namespace

// SystemC's library, which comes with the studies', wants one.
extern "C" int sc_main(int, char**) { return EXIT_SUCCESS; }

int main(int argc, char** argv) {
  if (argc < 3) return EXIT_FAILURE;
  try {
    const StoredStudy all = abacus::study::read_store(argv[1]);
    const std::vector<Costs> costs = costs_of(all, all);
    Costs worst = costs.at(0);
    for (const Costs& one : costs) {
      for (std::size_t i = 0; i < worst.size(); ++i) worst[i] = std::max(worst[i], one[i]);
    }
    const double whole = hypervolume(all, all, worst);
    for (int i = 2; i < argc; ++i) {
      const StoredStudy search = abacus::study::read_store(argv[i]);
      std::printf("%s: %zu of %zu points, %.2f %% of the hypervolume\n", argv[i],
                  search.points.size(), all.points.size(),
                  100 * hypervolume(search, all, worst) / whole);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "search_quality: %s\n", error.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
