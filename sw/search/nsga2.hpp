// Multi-objective search over a grid of choices: pagmo's NSGA-II (Deb et al., IEEE Trans. Evol. Comp. 6(2), 2002), which is
// told what each point costs.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace abacus::search {

// One coordinate of a point: 0 … choices − 1.
struct Coordinate {
  int choices = 1;
  // Neighbours are alike, as sizes are; else each choice is as far from any other.
  bool ordered = true;
};

struct Search {
  std::vector<Coordinate> coordinates;
  int objectives = 1;
  int population = 40;  // a multiple of 4, 8 at least, as pagmo wants it
  std::uint32_t seed = 1;
};

using Position = std::vector<int>;
// Less is better, of each objective.
using Costs = std::vector<double>;
// Of all points of a generation at once, which may be alike.
using Evaluate = std::function<std::vector<Costs>(const std::vector<Position>& points)>;

// Generation after generation, until `evaluate` throws, which passes through. The same seed and costs ask for the same
// points. Throws std::invalid_argument for a search that cannot be.
[[noreturn]] void nsga2(const Search& search, const Evaluate& evaluate);

}  // namespace abacus::search
