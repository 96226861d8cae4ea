#include "sw/search/nsga2.hpp"

#include <algorithm>
#include <cmath>
#include <pagmo/algorithm.hpp>
#include <pagmo/algorithms/nsga2.hpp>
#include <pagmo/bfe.hpp>
#include <pagmo/population.hpp>
#include <pagmo/problem.hpp>
#include <stdexcept>
#include <utility>

namespace abacus::search {
namespace {

// pagmo's operators for whole numbers draw any of them, so that nothing is learnt from neighbours. Ordered coordinates are
// therefore real ones, of which the whole part counts; the others stand behind them, where pagmo wants whole numbers.
// One of a single choice is among the former: pagmo wants whole numbers to have a choice.
bool is_real(const Coordinate& one) { return one.ordered || one.choices == 1; }

struct Problem {
  Search search;
  Evaluate evaluate;
  std::vector<std::size_t> order;  // coordinates as pagmo has them

  Position position(const double* coordinates) const {
    Position position(search.coordinates.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      const int last = search.coordinates[order[i]].choices - 1;
      position[order[i]] = std::clamp(static_cast<int>(std::floor(coordinates[i])), 0, last);
    }
    return position;
  }

  // pagmo's interface from here on.
  pagmo::vector_double fitness(const pagmo::vector_double& coordinates) const {
    return evaluate({position(coordinates.data())}).at(0);
  }
  pagmo::vector_double::size_type get_nobj() const {
    return static_cast<pagmo::vector_double::size_type>(search.objectives);
  }
  pagmo::vector_double::size_type get_nix() const {
    return static_cast<pagmo::vector_double::size_type>(
        std::count_if(search.coordinates.begin(), search.coordinates.end(),
                      [](const Coordinate& one) { return !is_real(one); }));
  }
  std::pair<pagmo::vector_double, pagmo::vector_double> get_bounds() const {
    pagmo::vector_double upper;
    for (const std::size_t at : order) {
      const Coordinate& one = search.coordinates[at];
      upper.push_back(is_real(one) ? one.choices : one.choices - 1);
    }
    return {pagmo::vector_double(upper.size(), 0.0), upper};
  }
};

struct Generation {
  pagmo::vector_double operator()(const pagmo::problem& problem,
                                  const pagmo::vector_double& coordinates) const {
    const auto& own = *problem.extract<Problem>();
    const std::size_t width = own.order.size();
    std::vector<Position> points;
    for (std::size_t at = 0; at < coordinates.size(); at += width) {
      points.push_back(own.position(&coordinates[at]));
    }
    pagmo::vector_double all;
    for (const Costs& costs : own.evaluate(points)) {
      all.insert(all.end(), costs.begin(), costs.end());
    }
    return all;
  }
};

}  // namespace

void nsga2(const Search& search, const Evaluate& evaluate) {
  constexpr int least_population = 8;
  if (search.coordinates.empty() || search.objectives < 1 || search.population < least_population ||
      search.population % 4 != 0 ||
      std::any_of(search.coordinates.begin(), search.coordinates.end(),
                  [](const Coordinate& one) { return one.choices < 1; })) {
    throw std::invalid_argument(
        "a search has coordinates, objectives, and a population of 8, 12, 16, …");
  }
  Problem problem{search, evaluate, {}};
  for (const bool real : {true, false}) {
    for (std::size_t i = 0; i < search.coordinates.size(); ++i) {
      if (is_real(search.coordinates[i]) == real) problem.order.push_back(i);
    }
  }
  const pagmo::bfe batch{Generation{}};
  pagmo::population population(pagmo::problem(problem), batch,
                               static_cast<pagmo::population::size_type>(search.population),
                               search.seed);
  // Deb's: one coordinate of a child is mutated on average. The indices are small, since a step less than a choice is none.
  constexpr unsigned generations = 1'000'000;
  constexpr double crossover = 0.95;
  constexpr double crossover_index = 10;
  constexpr double mutation_index = 10;
  const double mutation = 1.0 / static_cast<double>(search.coordinates.size());
  pagmo::nsga2 algorithm(generations, crossover, crossover_index, mutation, mutation_index,
                         search.seed);
  algorithm.set_bfe(batch);
  for (;;) population = algorithm.evolve(population);
}

}  // namespace abacus::search
