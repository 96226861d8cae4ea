#include "models/energy/energy_table.hpp"

#include <array>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <utility>

#include "models/blocks/blocks.hpp"

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

// y at x on the line through two points, all on logarithmic scales.
double log_line(double x0, double y0, double x1, double y1, double x) {
  return x0 == x1 ? y0 : y0 * std::pow(x / x0, std::log(y1 / y0) / std::log(x1 / x0));
}

// Over a grid of capacities and widths, ordered by capacity, then width.
double grid_law(const std::vector<EnergyPoint>& points, double bytes, double bits) {
  std::size_t widths = 1;
  while (widths < points.size() && points[widths].at == points[0].at) ++widths;
  const std::size_t capacities = points.size() / widths;
  const auto nearest = [](std::size_t count, double at, const auto& value) {
    std::size_t i = 1;
    while (i + 1 < count && value(i) < at) ++i;
    return count == 1 ? std::size_t{0} : i;
  };
  const std::size_t c =
      nearest(capacities, bytes, [&](std::size_t i) { return points[i * widths].at; });
  const std::size_t w = nearest(widths, bits, [&](std::size_t i) { return points[i].bits; });
  const auto at_width = [&](std::size_t capacity) {
    const EnergyPoint* row = &points[capacity * widths];
    const EnergyPoint& low = row[w == 0 ? 0 : w - 1];
    const EnergyPoint& high = row[w];
    // One width alone: proportional.
    if (w == 0) return low.picojoules * bits / low.bits;
    return log_line(low.bits, low.picojoules, high.bits, high.picojoules, bits);
  };
  if (c == 0) return at_width(0);
  return log_line(points[(c - 1) * widths].at, at_width(c - 1), points[c * widths].at, at_width(c),
                  bytes);
}

const hw::SramConfig* memory_of(Component component, const hw::HardwareConfig& hardware) {
  switch (component) {
    case Component::activation_sram:
      return &hardware.activation_sram;
    case Component::weight_sram:
      return &hardware.weight_sram;
    case Component::parameter_sram:
      return &hardware.parameter_sram;
    default:
      return nullptr;
  }
}

// Actions that every run does, but which tables of before have not.
constexpr std::array<Action, 8> later_actions = {Action::dram_read_io,
                                                 Action::dram_write_io,
                                                 Action::clock_cycle,
                                                 Action::dram_active_standby,
                                                 Action::dram_precharge_standby,
                                                 Action::dram_power_down,
                                                 Action::dram_self_refresh,
                                                 Action::dram_refresh};

std::optional<double> memory_bytes(const Activity::Key& key, const hw::HardwareConfig& hardware,
                                   bool of_bank) {
  switch (key.action) {
    case Action::table_read:
    case Action::buffer_read:
    case Action::buffer_write:
      return key.bits_a * key.bits_b / 8.0;
    default:
      break;
  }
  const hw::SramConfig* memory = memory_of(key.component, hardware);
  if (memory == nullptr) return std::nullopt;
  return static_cast<double>(memory->bytes) / (of_bank ? memory->banks : 1);
}

}  // namespace

EnergyTable::EnergyTable(std::string name, std::string title, std::string technology,
                         std::map<Action, EnergyEntry> entries, PartPrices leakage)
    : name_(std::move(name)),
      title_(std::move(title)),
      technology_(std::move(technology)),
      entries_(std::move(entries)),
      leakage_(std::move(leakage)) {}

std::vector<std::string> EnergyTable::missing() const {
  std::vector<std::string> names;
  for (const AreaPart part : area_parts) {
    if (!leakage_.has(part)) names.push_back("leakage." + to_string(part));
  }
  for (const Action action : later_actions) {
    if (entries_.count(action) == 0) names.push_back("action." + to_string(action));
  }
  return names;
}

EnergyTable EnergyTable::with_zeros() const {
  const std::string source = "not in the table; counted as 0 because the scenario says so";
  EnergyTable table = *this;
  for (const Action action : later_actions) {
    EnergyEntry zero;
    zero.points = {{0.0, 0.0, source}};
    table.entries_.emplace(action, std::move(zero));
  }
  for (const AreaPart part : area_parts) {
    if (!leakage_.has(part)) table.leakage_.set(part, {{1.0, 0.0, source}});
  }
  return table;
}

EnergyTable EnergyTable::with(Action action, EnergyEntry entry) const {
  EnergyTable table = *this;
  table.entries_[action] = std::move(entry);
  return table;
}

double EnergyTable::picojoules(const Activity::Key& key, const hw::HardwareConfig& hardware) const {
  if (key.action == Action::leakage) return leakage_milliwatts(key.component, hardware);
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
    case EnergyLaw::capacity:
    case EnergyLaw::bank: {
      const bool of_bank = entry->law == EnergyLaw::bank || entry->of_bank;
      const auto bytes = memory_bytes(key, hardware, of_bank);
      if (!bytes) {
        throw std::runtime_error("energy table " + name_ + ": action `" + to_string(key.action) +
                                 "` follows a memory's capacity, but component " +
                                 to_string(key.component) + " is no memory");
      }
      if (entry->law == EnergyLaw::bank) return times * grid_law(entry->points, *bytes, key.bits_a);
      return times * power_law(entry->points, *bytes) * key.bits_a / entry->access_bits;
    }
    case EnergyLaw::multiple:
      break;
  }
  throw std::logic_error("EnergyTable: a multiple of a multiple");
}

double EnergyTable::leakage_milliwatts(Component component,
                                       const hw::HardwareConfig& hardware) const {
  constexpr double milliwatts_a_microwatt = 1e-3;
  const std::vector<AreaUse> parts = parts_of(component, hardware);
  for (const AreaUse& use : parts) {
    if (use.part == AreaPart::element || leakage_.has(use.part)) continue;
    throw std::runtime_error("energy table " + name_ + " has no leakage of `" +
                             to_string(use.part) + "`, which component " + to_string(component) +
                             " has");
  }
  return leakage_.of(parts) * milliwatts_a_microwatt;
}

}  // namespace abacus::models
