#include "sw/experiment/run_timing.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "models/blocks/block_activity.hpp"

namespace abacus::experiment {
namespace {

constexpr double microjoules_a_picojoule = 1e-6;

std::map<models::Activity::Key, double> mean_activity(const std::vector<TimedImage>& images) {
  std::map<models::Activity::Key, std::int64_t> sums;
  for (const TimedImage& image : images) {
    for (const auto& [key, count] : image.activity) sums[key] += count;
  }
  std::map<models::Activity::Key, double> means;
  for (const auto& [key, sum] : sums) {
    means[key] = static_cast<double>(sum) / static_cast<double>(images.size());
  }
  return means;
}

RunEnergy energy_of(const std::map<models::Activity::Key, double>& activity,
                    const models::EnergyTable& table, const hw::HardwareConfig& hardware,
                    std::size_t layers) {
  RunEnergy energy;
  energy.by_layer.resize(layers);
  for (const auto& [key, count] : activity) {
    const double spent = count * table.picojoules(key, hardware) * microjoules_a_picojoule;
    energy.total += spent;
    if (models::is_static(key.action)) {
      energy.for_time += spent;
      energy.for_time_by_component[static_cast<std::size_t>(key.component)] += spent;
    }
    energy.by_component[static_cast<std::size_t>(key.component)] += spent;
    energy.by_action[static_cast<std::size_t>(key.action)] += spent;
    if (key.layer >= 0 && static_cast<std::size_t>(key.layer) < layers) {
      energy.by_layer[static_cast<std::size_t>(key.layer)] += spent;
    } else {
      energy.outside_layers += spent;
    }
  }
  return energy;
}

std::vector<LayerTime> mean_layers(const std::vector<TimedImage>& images) {
  std::vector<LayerTime> means(images.front().layers.size());
  const auto count = static_cast<double>(images.size());
  for (std::size_t l = 0; l < means.size(); ++l) {
    for (const TimedImage& image : images) {
      means[l].cycles += image.layers[l].cycles;
      for (std::size_t u = 0; u < means[l].units.size(); ++u) {
        means[l].units[u].busy += image.layers[l].units[u].busy;
        means[l].units[u].stalled += image.layers[l].units[u].stalled;
      }
    }
    means[l].cycles /= count;
    for (UnitCycles& unit : means[l].units) {
      unit.busy /= count;
      unit.stalled /= count;
    }
  }
  return means;
}

}  // namespace

FrameEnergy frame_energy(const RunTiming& timing, const models::EnergyTable& table,
                         const hw::HardwareConfig& hardware, double frames_per_second,
                         models::Action dram_state) {
  FrameEnergy frame;
  frame.frames_per_second = frames_per_second;
  const double between_ns = 1e9 / frames_per_second - timing.cycles * 1e3 / hardware.clock_mhz;
  frame.reached = between_ns >= 0;
  if (!frame.reached) return frame;
  models::Activity activity;
  models::count_between_programs(activity, hardware, std::llround(between_ns), dram_state);
  std::map<models::Activity::Key, double> counts;
  for (const auto& [key, count] : activity.counts()) counts[key] = static_cast<double>(count);
  frame.between_uj = energy_of(counts, table, hardware, 0).total;
  frame.total_uj = timing.energy.total + frame.between_uj;
  return frame;
}

std::optional<double> priced_by(const RunTiming& timing, const models::EnergyTable& table,
                                const hw::HardwareConfig& hardware) {
  try {
    return energy_of(timing.counts, table, hardware, 0).total;
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

RunTiming run_timing(const std::vector<TimedImage>& images, const models::EnergyTable& table,
                     const hw::HardwareConfig& hardware) {
  RunTiming timing;
  timing.lowest_cycles = timing.highest_cycles = images.front().cycles;
  for (const TimedImage& image : images) {
    timing.cycles += static_cast<double>(image.cycles);
    timing.lowest_cycles = std::min(timing.lowest_cycles, image.cycles);
    timing.highest_cycles = std::max(timing.highest_cycles, image.cycles);
  }
  timing.cycles /= static_cast<double>(images.size());

  timing.layers = mean_layers(images);
  timing.units.resize(models::unit_count);
  for (const LayerTime& layer : timing.layers) {
    for (std::size_t u = 0; u < timing.units.size(); ++u) {
      timing.units[u].busy += layer.units[u].busy;
      timing.units[u].stalled += layer.units[u].stalled;
    }
  }

  for (const TimedImage& image : images) {
    for (const auto& [key, cycles] : image.spent) {
      timing.spent[key] += cycles / static_cast<double>(images.size());
    }
  }

  const std::map<models::Activity::Key, double> activity = mean_activity(images);
  timing.energy = energy_of(activity, table, hardware, timing.layers.size());
  for (const auto& [key, count] : activity) {
    models::Activity::Key whole = key;
    whole.layer = -1;
    timing.counts[whole] += count;
  }
  return timing;
}

}  // namespace abacus::experiment
