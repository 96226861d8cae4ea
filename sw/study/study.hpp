// A study file, read and checked: a scenario, and what of it varies. docs/studies.md lists its keys.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sw/experiment/scenario.hpp"
#include "sw/study/axis.hpp"
#include "sw/study/expression.hpp"

namespace abacus::study {

// Keys by arithmetic over the axes.
struct Derived {
  std::vector<std::string> keys;
  Expression value;
  reading::Place place;
};

struct Objective {
  std::string metric;  // metric_names.hpp
  bool maximise = false;
};

enum class MethodKind { grid, random, latin_hypercube, nsga2 };

struct Method {
  MethodKind kind = MethodKind::grid;
  std::int64_t points = 0;  // to simulate; of a grid all, of nsga2 at most
  std::uint64_t seed = 1;
  int population = 0;  // of nsga2
};

// [engine.slurm]: defaults of `abacus explore --engine slurm`.
struct SlurmSettings {
  std::int64_t chunk = 0;           // points a task; 0: as many as explore_by_slurm() takes
  std::vector<std::string> sbatch;  // options
};

struct Study {
  std::filesystem::path file;
  std::string name;
  std::string text;
  experiment::ScenarioSource base;
  // In the file's order; last the scenario's runs, where it has several ("run").
  std::vector<Axis> axes;
  std::vector<Derived> derived;
  // A point is left out where one of `where` does not hold or one of `skip` does. Over axes.
  std::vector<Expression> where;
  std::vector<Expression> skip;
  std::vector<Objective> objectives;
  std::vector<Expression> constraints;  // over metrics and axes
  Method method;
  SlurmSettings slurm;
};

// The name of the axis of a scenario's runs.
inline constexpr const char* run_axis = "run";

// Throws InputError (sw/reading/node.hpp) with all mistakes: keys that study or scenario do not know (with the nearest),
// empty axes, a key that two axes drive, conditions that do not parse, objectives that are no metric.
Study read_study(const std::filesystem::path& file, experiment::ReadFiles& files);

}  // namespace abacus::study
