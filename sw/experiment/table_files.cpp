#include "sw/experiment/table_files.hpp"

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sw/reading/toml_file.hpp"

namespace abacus::experiment {
namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();

// Names of actions, parts, laws and the values that they stand for.
template <typename Named>
using Names = std::vector<std::pair<std::string, Named>>;

template <typename Named>
std::string known(const Names<Named>& names) {
  std::vector<std::string> words;
  for (const auto& name : names) words.push_back(name.first);
  return reading::joined(words);
}

template <typename Named>
std::optional<Named> find(const Names<Named>& names, const std::string& text) {
  for (const auto& [name, value] : names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

template <typename Named>
Named choice(const reading::Value& value, const Names<Named>& names) {
  const auto found = find(names, value.text());
  if (!found) value.refuse_found(known(names));
  return *found;
}

Names<models::Action> action_names() {
  Names<models::Action> names;
  for (int i = 0; i < models::action_count; ++i) {
    const auto action = static_cast<models::Action>(i);
    if (action == models::Action::element_tap) continue;  // which elements price themselves
    names.emplace_back(models::to_string(action), action);
  }
  return names;
}

const Names<models::EnergyLaw>& law_names() {
  static const Names<models::EnergyLaw> names = {
      {"constant", models::EnergyLaw::constant},
      {"width", models::EnergyLaw::width},
      {"width-product", models::EnergyLaw::width_product},
      {"capacity", models::EnergyLaw::capacity},
      {"multiple", models::EnergyLaw::multiple}};
  return names;
}

Names<models::AreaPart> part_names() {
  Names<models::AreaPart> names;
  for (const models::AreaPart part : models::area_parts)
    names.emplace_back(models::to_string(part), part);
  return names;
}

// A point of a law: where it is, how much is spent there, and who says so.
struct Point {
  double at;
  double amount;
  std::string source;
};

// What the points of a law are called, and may be.
struct PointForm {
  const char* unit;  // of `at`
  const char* quantity;
  bool squared = false;   // `unit` is the width of both operands
  bool positive = false;  // no amount is 0
};

std::vector<Point> read_points(reading::Section& section, const PointForm& form) {
  const auto& [unit, quantity, squared, positive] = form;
  const std::string words = std::string("{") + unit + ", " + quantity + ", source}";
  const reading::Value list = section.value("points");
  std::vector<Point> points;
  for (const reading::Value& element : list.list()) {
    reading::Section point = element.section();
    double at = point.value(unit).number(1, unbounded);
    if (squared) at *= at;
    if (!points.empty() && at <= points.back().at) {
      element.refuse(std::string("points must stand in ascending order of `") + unit + '`');
    }
    const double amount = point.value(quantity).number(0, unbounded);
    if (positive && amount == 0) point.refuse(quantity, "must be more than 0");
    points.push_back({at, amount, point.value("source").text()});
    point.refuse_unknown_keys();
  }
  if (points.empty()) list.refuse_found("a list with at least one " + words);
  return points;
}

// Name, title and technology come first in both kinds of files.
struct Heading {
  std::string name;
  std::string title;
  std::string technology;
};

Heading read_heading(reading::Section& top) {
  return {top.value("name").text(), top.value("title").text(), top.value("technology").text()};
}

// The table under `key`, of which each key is one of `names` and has a table.
template <typename Named, typename Read>
void read_entries(reading::Section& top, const char* key, const Names<Named>& names,
                  const Read& read) {
  const reading::Value entries_value = top.value(key);
  reading::Section entries = entries_value.section();
  for (const auto& [name, named] : names) {
    if (entries.has(name)) read(named, entries.value(name));
    entries.expect(name);
  }
  entries.refuse_unknown_keys();
}

std::vector<models::AreaPoint> read_area_points(reading::Section section, models::AreaPart part) {
  const bool product = part == models::AreaPart::multiplier;
  section.value("law").choice({product ? "width-product" : "width"});
  std::vector<models::AreaPoint> points;
  for (Point& point : read_points(section, {"bits", "um2", product})) {
    points.push_back({point.at, point.amount, std::move(point.source)});
  }
  section.refuse_unknown_keys();
  return points;
}

}  // namespace

models::EnergyEntry read_energy_entry(reading::Section section) {
  models::EnergyEntry entry;
  entry.law = choice(section.value("law"), law_names());
  const auto source = [&] { return section.value("source").text(); };
  switch (entry.law) {
    case models::EnergyLaw::constant:
      entry.points.push_back({0.0, section.value("pj").number(0, unbounded), source()});
      break;
    case models::EnergyLaw::width:
    case models::EnergyLaw::width_product:
    case models::EnergyLaw::capacity: {
      const bool capacity = entry.law == models::EnergyLaw::capacity;
      if (capacity) {
        entry.access_bits = static_cast<int>(section.value("access_bits").number(1, 1 << 20));
      }
      const PointForm form = {capacity ? "bytes" : "bits", "pj",
                              entry.law == models::EnergyLaw::width_product, capacity};
      for (Point& point : read_points(section, form)) {
        entry.points.push_back({point.at, point.amount, std::move(point.source)});
      }
      if (capacity && entry.points.size() < 2) {
        section.refuse("points", "law \"capacity\" needs at least two points");
      }
      break;
    }
    case models::EnergyLaw::multiple:
      entry.of = choice(section.value("of"), action_names());
      entry.times = section.value("times").number(0, unbounded);
      entry.source = source();
      break;
  }
  section.refuse_unknown_keys();
  return entry;
}

models::EnergyTable read_energy_table(const std::filesystem::path& file) {
  const reading::Node root = reading::read_toml(file);
  reading::Section top("", {&root});
  Heading heading = read_heading(top);
  std::map<models::Action, models::EnergyEntry> entries;
  read_entries(top, "action", action_names(),
               [&](models::Action action, const reading::Value& value) {
                 entries[action] = read_energy_entry(value.section());
               });
  top.refuse_unknown_keys();
  for (const auto& [action, entry] : entries) {
    if (entry.law != models::EnergyLaw::multiple) continue;
    const auto base = entries.find(entry.of);
    if (base == entries.end() || base->second.law == models::EnergyLaw::multiple) {
      top.section("action").refuse(
          models::to_string(action),
          "is a multiple of `" + models::to_string(entry.of) +
              "`, which must be in the table and not be a multiple itself");
    }
  }
  return {std::move(heading.name), std::move(heading.title), std::move(heading.technology),
          std::move(entries)};
}

models::AreaTable read_area_table(const std::filesystem::path& file) {
  const reading::Node root = reading::read_toml(file);
  reading::Section top("", {&root});
  Heading heading = read_heading(top);
  std::map<models::AreaPart, std::vector<models::AreaPoint>> entries;
  read_entries(top, "area", part_names(), [&](models::AreaPart part, const reading::Value& value) {
    entries[part] = read_area_points(value.section(), part);
  });
  top.refuse_unknown_keys();
  for (const models::AreaPart part : models::area_parts) {
    if (part == models::AreaPart::memory || entries.count(part) != 0) continue;
    top.refuse("area", "[area." + models::to_string(part) + "] is missing");
  }
  return {std::move(heading.name), std::move(heading.title), std::move(heading.technology),
          std::move(entries)};
}

}  // namespace abacus::experiment
