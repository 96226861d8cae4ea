// A point of a study as a run that can be simulated, and what decides its result.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "sw/experiment/package_cache.hpp"
#include "sw/experiment/run_inputs.hpp"
#include "sw/study/points.hpp"

namespace abacus::study {

// Why a point cannot be: its keys contradict each other, its package cannot be made, it does not fit.
class Infeasible : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What all points have in common: data sets, packages' recipes, files. Filled by prepare(); processes forked
// afterwards share it.
class PointRuns {
 public:
  PointRuns(const Study& study, experiment::PackageOptions options);

  // The point's run, with its images limited to the data set's. Throws Infeasible.
  experiment::RunSpec run(std::int64_t number);

  // Loads data sets, asks the trainer for the recipes and has it make the packages of these points, each once.
  // Random weights are made where they are needed. Whether there is one that was not there before.
  bool prepare(const std::vector<std::int64_t>& numbers);

  // Its package, of which the last few are kept; may complete the run's hardware by it. Throws Infeasible.
  const experiment::Package& package(experiment::RunSpec& run);

  // Of the point's result: experiment::run_identity().
  std::string hash(const experiment::RunSpec& run);
  // Of what its images after the timed ones give, on any hardware that cannot change it.
  std::string functional_hash(const experiment::RunSpec& run, const experiment::Package& package);

  network::Dataset images(const experiment::RunSpec& run) const;
  const network::Dataset& dataset(const experiment::RunSpec& run) const;

 private:
  struct Recipe {
    experiment::PackageRequest request;
    std::string error;  // the trainer's, or of a checkpoint of another network
  };
  const Recipe* recipe(const experiment::RunSpec& run) const;

  const Study& study_;
  Points points_;
  experiment::PackageOptions options_;
  experiment::ReadFiles files_;
  std::map<std::string, network::Dataset> datasets_;
  std::map<std::string, Recipe> recipes_;  // by package_key()
  std::map<std::string, std::unique_ptr<experiment::Package>> packages_;
  std::vector<std::string> kept_;  // the oldest first
};

}  // namespace abacus::study
