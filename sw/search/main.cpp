// abacus-nsga2: NSGA-II for `abacus explore`, by lines of JSON.
//
//   in    {"coordinates": [{"choices": 5, "ordered": true}, …], "objectives": 2, "population": 40, "seed": 1}
//   out   [[0, 3], …]        points whose costs are wanted
//   in    [[1.5, 20], …]     their costs, in this order; the end of the input ends the search
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "sw/search/nsga2.hpp"

namespace {

struct EndOfInput {};

nlohmann::json next_line() {
  std::string line;
  if (!std::getline(std::cin, line)) throw EndOfInput();
  return nlohmann::json::parse(line);
}

abacus::search::Search search_of(const nlohmann::json& told) {
  abacus::search::Search search;
  for (const nlohmann::json& one : told.at("coordinates")) {
    search.coordinates.push_back({one.at("choices"), one.at("ordered")});
  }
  search.objectives = told.at("objectives");
  search.population = told.at("population");
  search.seed = told.at("seed");
  return search;
}

}  // namespace

int main() {
  try {
    const abacus::search::Search search = search_of(next_line());
    abacus::search::nsga2(search, [&](const std::vector<abacus::search::Position>& points) {
      std::cout << nlohmann::json(points).dump() << std::endl;
      auto costs = next_line().get<std::vector<abacus::search::Costs>>();
      if (costs.size() != points.size()) throw std::invalid_argument("costs of other points");
      for (const abacus::search::Costs& one : costs) {
        if (one.size() != static_cast<std::size_t>(search.objectives)) {
          throw std::invalid_argument("costs of another number of objectives");
        }
      }
      return costs;
    });
  } catch (const EndOfInput&) {
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "abacus-nsga2: " << error.what() << '\n';
    return 1;
  }
}
