// Cycles and energy of one image: the mean over a run's timed images.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "models/energy/activity.hpp"
#include "models/energy/energy_table.hpp"
#include "sw/experiment/run_outcome.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::experiment {

// In µJ, sorted out three ways.
struct RunEnergy {
  double total = 0;
  double outside_layers = 0;
  std::vector<double> by_layer;
  std::array<double, models::component_count> by_component{};
  std::array<double, models::action_count> by_action{};
};

struct RunTiming {
  double cycles = 0;
  std::int64_t lowest_cycles = 0;  // of one image
  std::int64_t highest_cycles = 0;
  std::vector<LayerTime> layers;
  std::vector<UnitCycles> units;  // all layers
  RunEnergy energy;
  std::map<models::Activity::Key, double>
      counts;  // layers added up (`layer` is −1), for other energy tables
};

// `images`: one at least. Throws std::runtime_error where the table lacks an action that was counted.
RunTiming run_timing(const std::vector<TimedImage>& images, const models::EnergyTable& table,
                     const hw::HardwareConfig& hardware);

}  // namespace abacus::experiment
