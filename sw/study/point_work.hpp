// What a worker does for a task of a study, from its text to its answer. Both are JSON:
//
//   {"number": 17, "known": HASH, "functional": OUTCOME}   the point; `functional` where it was asked for
//   {"number": 17, "first": 2, "count": 250}                functional images of the point's run
//   {"number": 17, "plan": true}                             whether it fits
//
//   {"status": "same"}                                       `known` is its hash
//   {"status": "ok", "hash": …, "package": …, "metrics": {…}, "seconds": …}
//   {"status": "infeasible" | "failed", "hash": …, "reason": …}
//   {"status": "needs", "key": HASH, "first": 2, "end": 10000}   functional images, before the point can be finished
//   {"status": "images", "outcome": OUTCOME}
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "sw/study/point_run.hpp"

namespace abacus::study {

class PointWork {
 public:
  // `runs` is prepared, and must outlive it.
  explicit PointWork(PointRuns& runs) : runs_(runs) {}

  // Throws for what no other point could do better, such as too little memory.
  nlohmann::json answer(const nlohmann::json& task);

 private:
  nlohmann::json answer(const nlohmann::json& task, std::string& hash);

  PointRuns& runs_;
  std::map<std::string, nlohmann::json> functional_;  // outcomes by functional_hash()
};

}  // namespace abacus::study
