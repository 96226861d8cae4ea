#include "models/energy/energy_table.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace abacus {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, const toml::source_region& where,
                       const std::string& what) {
  std::ostringstream text;
  text << file.string() << ':' << where.begin.line << ':' << where.begin.column << ": " << what;
  throw std::runtime_error(text.str());
}

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

// The fields of one TOML table, with errors that say where.
class Fields {
 public:
  Fields(const std::filesystem::path& file, const toml::table& table)
      : file_(file), table_(table) {}

  [[noreturn]] void refuse(const std::string& what) const { fail(file_, table_.source(), what); }
  [[noreturn]] void refuse(const toml::node& node, const std::string& what) const {
    fail(file_, node.source(), what);
  }

  const toml::node& node(std::string_view key) const {
    const toml::node* found = table_.get(key);
    if (found == nullptr) refuse("`" + std::string(key) + "` is missing");
    return *found;
  }
  std::string text(std::string_view key) const {
    const toml::node& found = node(key);
    const auto value = found.value_exact<std::string>();
    if (!value || value->empty()) {
      refuse(found, "`" + std::string(key) + "` must be a text that is not empty");
    }
    return *value;
  }
  double number(std::string_view key, double lowest) const {
    const toml::node& found = node(key);
    const auto value = found.is_number() ? found.value<double>() : std::nullopt;
    if (!value || !std::isfinite(*value) || *value < lowest) {
      std::ostringstream text;
      text << '`' << key << "` must be a number, " << lowest << " or more";
      refuse(found, text.str());
    }
    return *value;
  }
  const toml::table& subtable(std::string_view key) const {
    const toml::node& found = node(key);
    if (!found.is_table()) refuse(found, "`" + std::string(key) + "` must be a table");
    return *found.as_table();
  }
  void allow(std::initializer_list<std::string_view> keys) const {
    for (const auto& [key, value] : table_) {
      if (std::find(keys.begin(), keys.end(), key.str()) != keys.end()) continue;
      std::string known;
      for (const auto& name : keys) known += (known.empty() ? "" : ", ") + std::string(name);
      fail(file_, key.source(),
           "unknown key `" + std::string(key.str()) + "`; known here: " + known);
    }
  }

 private:
  const std::filesystem::path& file_;
  const toml::table& table_;
};

std::vector<EnergyPoint> read_points(const std::filesystem::path& file, const Fields& fields,
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
    const Fields point(file, *element.as_table());
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
  const Fields fields(file, table);
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
  if (key.action == Action::table_read) return key.bits_a * key.bits_b / 8.0;
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
  toml::table root;
  try {
    root = toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    const auto& where = error.source();
    if (where.begin.line == 0) {
      throw std::runtime_error(file.string() + ": " + std::string(error.description()));
    }
    fail(file, where, std::string(error.description()));
  }
  EnergyTable table;
  const Fields fields(file, root);
  fields.allow({"name", "title", "technology", "action"});
  table.name_ = fields.text("name");
  table.title_ = fields.text("title");
  table.technology_ = fields.text("technology");
  const toml::table& actions = fields.subtable("action");
  for (const auto& [key, value] : actions) {
    const auto action = action_from_string(key.str());
    if (!action) {
      fail(file, key.source(),
           "unknown action `" + std::string(key.str()) + "`; known: " + action_names());
    }
    if (!value.is_table()) fail(file, key.source(), "an action must be a table");
    table.entries_[*action] = read_entry(file, *value.as_table());
  }
  for (const auto& [action, entry] : table.entries_) {
    if (entry.law != EnergyLaw::multiple) continue;
    const auto base = table.entries_.find(entry.of);
    if (base == table.entries_.end() || base->second.law == EnergyLaw::multiple) {
      fail(file, actions.get(to_string(action))->source(),
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
