// Cycles and energy of one image: the mean over a run's timed images.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "models/activity/activity.hpp"
#include "models/energy/energy_table.hpp"
#include "sw/experiment/run_outcome.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::experiment {

// In µJ, sorted out three ways.
struct RunEnergy {
  double total = 0;
  // Of it, spent for time alone (models::is_static()).
  double for_time = 0;
  std::array<double, models::component_count> for_time_by_component{};
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
  SpentCycles spent;
  RunEnergy energy;
  std::map<models::Activity::Key, double>
      counts;  // layers added up (`layer` is −1), for other energy tables
};

// At a given rate of frames: an image, then nothing until the next one.
struct FrameEnergy {
  double frames_per_second = 0;
  bool reached = false;  // an image takes no longer than a frame; else the next two are 0
  double between_uj = 0;
  double total_uj = 0;
};

// Throws std::runtime_error where the table lacks an action that was counted.
FrameEnergy frame_energy(const RunTiming& timing, const models::EnergyTable& table,
                         const hw::HardwareConfig& hardware, double frames_per_second,
                         models::Action dram_state);

// µJ of an image by another table; none where that lacks an action that was counted.
std::optional<double> priced_by(const RunTiming& timing, const models::EnergyTable& table,
                                const hw::HardwareConfig& hardware);

// `images`: one at least. Throws std::runtime_error where the table lacks an action that was counted.
RunTiming run_timing(const std::vector<TimedImage>& images, const models::EnergyTable& table,
                     const hw::HardwareConfig& hardware);

}  // namespace abacus::experiment
