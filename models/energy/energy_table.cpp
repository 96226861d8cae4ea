#include "models/energy/energy_table.hpp"

#include <cmath>
#include <optional>
#include <stdexcept>
#include <utility>

namespace abacus::models {
namespace {

double interpolate(const std::vector<EnergyPoint>& points, double at) {
  if (at <= points.front().at) return points.front().picojoules * (at / points.front().at);
  if (at >= points.back().at) return points.back().picojoules * (at / points.back().at);
  std::size_t i = 1;
  while (points[i].at < at) ++i;
  const EnergyPoint& low = points[i - 1];
  const EnergyPoint& high = points[i];
  return low.picojoules + (high.picojoules - low.picojoules) * ((at - low.at) / (high.at - low.at));
}

double power_law(const std::vector<EnergyPoint>& points, double at) {
  std::size_t i = 1;
  while (i + 1 < points.size() && points[i].at < at) ++i;
  const EnergyPoint& low = points[i - 1];
  const EnergyPoint& high = points[i];
  const double exponent = std::log(high.picojoules / low.picojoules) / std::log(high.at / low.at);
  return low.picojoules * std::pow(at / low.at, exponent);
}

std::optional<double> memory_bytes(const Activity::Key& key, const hw::HardwareConfig& hardware) {
  switch (key.action) {
    case Action::table_read:
    case Action::buffer_read:
    case Action::buffer_write:
      return key.bits_a * key.bits_b / 8.0;
    default:
      break;
  }
  switch (key.component) {
    case Component::activation_sram:
      return hardware.activation_sram.bytes;
    case Component::weight_sram:
      return hardware.weight_sram.bytes;
    case Component::parameter_sram:
      return hardware.parameter_sram.bytes;
    default:
      return std::nullopt;
  }
}

}  // namespace

EnergyTable::EnergyTable(std::string name, std::string title, std::string technology,
                         std::map<Action, EnergyEntry> entries)
    : name_(std::move(name)),
      title_(std::move(title)),
      technology_(std::move(technology)),
      entries_(std::move(entries)) {}

EnergyTable EnergyTable::with(Action action, EnergyEntry entry) const {
  EnergyTable table = *this;
  table.entries_[action] = std::move(entry);
  return table;
}

double EnergyTable::picojoules(const Activity::Key& key, const hw::HardwareConfig& hardware) const {
  const auto found = entries_.find(key.action);
  if (found == entries_.end()) {
    throw std::runtime_error("energy table " + name_ + " has no action `" + to_string(key.action) +
                             "`, which component " + to_string(key.component) + " did");
  }
  const EnergyEntry* entry = &found->second;
  double times = 1.0;
  if (entry->law == EnergyLaw::multiple) {
    times = entry->times;
    entry = &entries_.at(entry->of);
  }
  switch (entry->law) {
    case EnergyLaw::constant:
      return times * entry->points.front().picojoules;
    case EnergyLaw::width:
      return times * interpolate(entry->points, key.bits_a);
    case EnergyLaw::width_product:
      return times * interpolate(entry->points, static_cast<double>(key.bits_a) * key.bits_b);
    case EnergyLaw::capacity: {
      const auto bytes = memory_bytes(key, hardware);
      if (!bytes) {
        throw std::runtime_error("energy table " + name_ + ": action `" + to_string(key.action) +
                                 "` follows a memory's capacity, but component " +
                                 to_string(key.component) + " is no memory");
      }
      return times * power_law(entry->points, *bytes) * key.bits_a / entry->access_bits;
    }
    case EnergyLaw::multiple:
      break;
  }
  throw std::logic_error("EnergyTable: a multiple of a multiple");
}

}  // namespace abacus::models
