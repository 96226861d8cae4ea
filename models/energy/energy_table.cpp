#include "models/energy/energy_table.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "models/energy/table_fields.hpp"

namespace abacus {
namespace {

std::optional<Action> action_from_string(std::string_view text) {
  for (int i = 0; i < action_count; ++i) {
    const auto action = static_cast<Action>(i);
    if (to_string(action) == text) return action;
  }
  return std::nullopt;
}

std::string action_names() {
  std::string names;
  for (int i = 0; i < action_count; ++i) {
    names += (i == 0 ? "" : ", ") + to_string(static_cast<Action>(i));
  }
  return names;
}

std::vector<EnergyPoint> read_points(const std::filesystem::path& file, const TableFields& fields,
                                     std::string_view unit, EnergyLaw law) {
  const toml::node& node = fields.node("points");
  const toml::array* array = node.as_array();
  if (array == nullptr || array->empty()) {
    fields.refuse(
        node, "`points` must be a list with at least one {" + std::string(unit) + ", pj, source}");
  }
  std::vector<EnergyPoint> points;
  for (const toml::node& element : *array) {
    if (!element.is_table()) {
      fields.refuse(element, "a point must be a table {" + std::string(unit) + ", pj, source}");
    }
    const TableFields point(file, *element.as_table());
    point.allow({unit, "pj", "source"});
    double at = point.number(unit, 1.0);
    if (law == EnergyLaw::width_product) at *= at;
    if (!points.empty() && at <= points.back().at) {
      fields.refuse(element, "points must stand in ascending order of `" + std::string(unit) + "`");
    }
    const double picojoules = point.number("pj", 0.0);
    if (law == EnergyLaw::capacity && picojoules == 0.0) {
      fields.refuse(element, "`pj` of a memory access must be more than 0");
    }
    points.push_back({at, picojoules, point.text("source")});
  }
  if (law == EnergyLaw::capacity && points.size() < 2) {
    fields.refuse(node, "law \"capacity\" needs at least two points");
  }
  return points;
}

EnergyEntry read_entry(const std::filesystem::path& file, const toml::table& table) {
  const TableFields fields(file, table);
  const std::string law = fields.text("law");
  EnergyEntry entry;
  if (law == "constant") {
    fields.allow({"law", "pj", "source"});
    entry.law = EnergyLaw::constant;
    entry.points.push_back({0.0, fields.number("pj", 0.0), fields.text("source")});
  } else if (law == "width" || law == "width-product") {
    fields.allow({"law", "points"});
    entry.law = law == "width" ? EnergyLaw::width : EnergyLaw::width_product;
    entry.points = read_points(file, fields, "bits", entry.law);
  } else if (law == "capacity") {
    fields.allow({"law", "access_bits", "points"});
    entry.law = EnergyLaw::capacity;
    entry.access_bits = static_cast<int>(fields.number("access_bits", 1.0));
    entry.points = read_points(file, fields, "bytes", entry.law);
  } else if (law == "multiple") {
    fields.allow({"law", "of", "times", "source"});
    entry.law = EnergyLaw::multiple;
    const auto of = action_from_string(fields.text("of"));
    if (!of) fields.refuse(fields.node("of"), "`of` must name an action: " + action_names());
    entry.of = *of;
    entry.times = fields.number("times", 0.0);
    entry.source = fields.text("source");
  } else {
    fields.refuse(
        fields.node("law"),
        "unknown law \"" + law + "\"; known: constant, width, width-product, capacity, multiple");
  }
  return entry;
}

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

std::optional<double> memory_bytes(const Activity::Key& key, const HardwareConfig& hardware) {
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

EnergyTable EnergyTable::read(const std::filesystem::path& file) {
  const toml::table root = read_table_file(file);
  EnergyTable table;
  const TableFields fields(file, root);
  fields.allow({"name", "title", "technology", "action"});
  table.name_ = fields.text("name");
  table.title_ = fields.text("title");
  table.technology_ = fields.text("technology");
  const toml::table& actions = fields.subtable("action");
  for (const auto& [key, value] : actions) {
    const auto action = action_from_string(key.str());
    if (!action) {
      refuse_at(file, key.source(),
                "unknown action `" + std::string(key.str()) + "`; known: " + action_names());
    }
    if (!value.is_table()) refuse_at(file, key.source(), "an action must be a table");
    table.entries_[*action] = read_entry(file, *value.as_table());
  }
  for (const auto& [action, entry] : table.entries_) {
    if (entry.law != EnergyLaw::multiple) continue;
    const auto base = table.entries_.find(entry.of);
    if (base == table.entries_.end() || base->second.law == EnergyLaw::multiple) {
      refuse_at(file, actions.get(to_string(action))->source(),
                "action `" + to_string(action) + "` is a multiple of `" + to_string(entry.of) +
                    "`, which must be in the table and not be a multiple itself");
    }
  }
  return table;
}

double EnergyTable::picojoules(const Activity::Key& key, const HardwareConfig& hardware) const {
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

}  // namespace abacus
