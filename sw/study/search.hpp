// A multi-objective search through a study's points: NSGA-II by the program abacus-nsga2 (sw/search), whose generations are
// simulated as any points are.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/study/evaluation.hpp"

namespace abacus::study {

// The program, in the folder of `abacus` or on PATH.
inline constexpr const char* search_program = "abacus-nsga2";

// Simulates method.points points at most, by `jobs` processes; fewer where the search finds no new one any more. Returns
// them, ascending. What is in the store already is not simulated again, so that the same command takes the same way.
//
// Points that `where` and `skip` leave out are never simulated. They, infeasible and failed ones, and those that miss a
// constraint cost more than any other in each objective, in this order from the worst.
//
// Throws std::runtime_error where there is no search program, InputError where a point has no number for an objective.
std::vector<std::int64_t> search(const Study& study, PointRuns& runs, Store& store, int jobs,
                                 bool retry_failed, const Evaluation::Tell& tell);

}  // namespace abacus::study
