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

// Far above anything that a chip spends or takes, and far below what a sum of many could not hold.
constexpr double most_picojoules = 1e12;
constexpr double most_um2 = 1e12;
constexpr double most_microwatts = 1e12;
constexpr double most_at = 1e12;  // bits, their square, or bytes
constexpr double most_times = 1e6;

// All mistakes of a file, or, where a section of its own is read, of that.
class Collector {
 public:
  explicit Collector(reading::Section& section) : given_(section.mistakes()) {
    if (given_ == nullptr) section.collect_into(own_);
  }
  reading::Mistakes& mistakes() { return given_ == nullptr ? own_ : *given_; }
  // At the end.
  void raise() const { own_.raise(); }

 private:
  reading::Mistakes* given_;
  reading::Mistakes own_;
};

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
    if (action == models::Action::leakage) continue;      // by parts, under `leakage`
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
      {"bank", models::EnergyLaw::bank},
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
  double most;            // of it
  bool squared = false;   // `unit` is the width of both operands
  bool positive = false;  // no amount is 0
};

std::vector<Point> read_points(reading::Section& section, const PointForm& form) {
  const auto& [unit, quantity, most, squared, positive] = form;
  const std::string words = std::string("{") + unit + ", " + quantity + ", source}";
  const reading::Value list = section.value("points");
  std::vector<Point> points;
  for (const reading::Value& element : list.list()) {
    reading::Section point = element.section();
    for (const char* key : {unit, quantity, "source"}) point.expect(key);
    point.refuse_unknown_keys();
    double at = point.value(unit).number(1, most_at);
    if (squared) at *= at;
    if (!points.empty() && at <= points.back().at) {
      element.refuse(std::string("points must stand in ascending order of `") + unit + '`');
    }
    const double amount = point.value(quantity).number(0, most);
    if (positive && amount == 0) point.refuse(quantity, "must be more than 0");
    points.push_back({at, amount, point.value("source").text()});
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

// `tables`: the keys of what else is in the file.
Heading read_heading(reading::Section& top, const std::vector<const char*>& tables,
                     reading::Mistakes& mistakes) {
  for (const char* key : {"name", "title", "technology"}) top.expect(key);
  for (const char* key : tables) top.expect(key);
  top.refuse_unknown_keys();
  Heading heading;
  mistakes.collect([&] { heading.name = top.value("name").text(); });
  mistakes.collect([&] { heading.title = top.value("title").text(); });
  mistakes.collect([&] { heading.technology = top.value("technology").text(); });
  return heading;
}

// The table under `key`, of which each key is one of `names` and has a table.
template <typename Named, typename Read>
void read_entries(reading::Section& top, const char* key, const Names<Named>& names,
                  reading::Mistakes& mistakes, const Read& read) {
  mistakes.collect([&] {
    const reading::Value entries_value = top.value(key);
    reading::Section entries = entries_value.section();
    for (const auto& name : names) entries.expect(name.first);
    entries.refuse_unknown_keys();
    for (const auto& entry : names) {
      if (!entries.has(entry.first)) continue;
      mistakes.collect([&] { read(entry.second, entries.value(entry.first)); });
    }
  });
}

// The law of a part, and its points.
std::vector<models::PartPoint> read_part_points(reading::Section section, models::AreaPart part,
                                                const char* quantity, double most) {
  const bool product = part == models::AreaPart::multiplier;
  const bool bank = part == models::AreaPart::sram;
  for (const char* key : {"law", "points"}) section.expect(key);
  section.refuse_unknown_keys();
  section.value("law").choice({product ? "width-product" : bank ? "capacity" : "width"});
  std::vector<models::PartPoint> points;
  for (Point& point : read_points(section, {bank ? "bytes" : "bits", quantity, most, product})) {
    points.push_back({point.at, point.amount, std::move(point.source)});
  }
  return points;
}

// The points of law "bank": every capacity with every width, in ascending order.
std::vector<models::EnergyPoint> read_bank_points(reading::Section& section) {
  const reading::Value list = section.value("points");
  std::vector<models::EnergyPoint> points;
  std::size_t widths = 0;  // of the first capacity, once it is past
  for (const reading::Value& element : list.list()) {
    reading::Section point = element.section();
    for (const char* key : {"bytes", "bits", "pj", "source"}) point.expect(key);
    point.refuse_unknown_keys();
    models::EnergyPoint one;
    one.at = point.value("bytes").number(1, most_at);
    one.bits = point.value("bits").number(1, most_at);
    one.picojoules = point.value("pj").number(0, most_picojoules);
    if (one.picojoules == 0) point.refuse("pj", "must be more than 0");
    one.source = point.value("source").text();
    const std::size_t count = points.size();
    if (widths == 0 && count > 0 && one.at != points.back().at) widths = count;
    const std::size_t column = widths == 0 ? count : count % widths;
    const bool grid =
        widths == 0 || (one.bits == points[column].bits &&
                        (column == 0 ? one.at > points.back().at : one.at == points.back().at));
    const bool ascending = column == 0 || one.bits > points.back().bits;
    if (!grid || !ascending) {
      element.refuse(
          "points must give each of the `bytes` with each of the `bits`, in ascending order of "
          "`bytes`, then of `bits`");
    }
    points.push_back(std::move(one));
  }
  if (points.empty()) list.refuse_found("a list with at least one {bytes, bits, pj, source}");
  if (widths != 0 && points.size() % widths != 0) {
    section.refuse("points", "the last capacity lacks widths that the others have");
  }
  return points;
}

// What goes with a law.
std::vector<std::string> keys_of(models::EnergyLaw law) {
  switch (law) {
    case models::EnergyLaw::constant:
      return {"law", "pj", "source"};
    case models::EnergyLaw::width:
    case models::EnergyLaw::width_product:
      return {"law", "points"};
    case models::EnergyLaw::capacity:
      return {"law", "access_bits", "points", "size"};
    case models::EnergyLaw::bank:
      return {"law", "points"};
    case models::EnergyLaw::multiple:
      return {"law", "of", "times", "source"};
  }
  return {};
}

void read_entry(reading::Section& section, models::EnergyEntry& entry,
                reading::Mistakes& mistakes) {
  std::optional<models::EnergyLaw> law;
  mistakes.collect([&] { law = choice(section.value("law"), law_names()); });
  for (const auto& name : law_names()) {
    if (law.has_value() && *law != name.second) continue;
    for (const std::string& key : keys_of(name.second)) section.expect(key);
  }
  section.refuse_unknown_keys();
  if (!law.has_value()) return;
  entry.law = *law;
  const auto source = [&] { return section.value("source").text(); };
  switch (entry.law) {
    case models::EnergyLaw::constant:
      entry.points.push_back({0.0, section.value("pj").number(0, most_picojoules), source()});
      break;
    case models::EnergyLaw::width:
    case models::EnergyLaw::width_product:
    case models::EnergyLaw::capacity: {
      const bool capacity = entry.law == models::EnergyLaw::capacity;
      if (capacity) {
        entry.access_bits = static_cast<int>(section.value("access_bits").integer(1, 1 << 20));
        entry.of_bank = section.choice("size", "memory", {"memory", "bank"}) == "bank";
      }
      const PointForm form = {capacity ? "bytes" : "bits", "pj", most_picojoules,
                              entry.law == models::EnergyLaw::width_product, capacity};
      for (Point& point : read_points(section, form)) {
        entry.points.push_back({point.at, point.amount, std::move(point.source)});
      }
      if (capacity && entry.points.size() < 2) {
        section.refuse("points", "law \"capacity\" needs at least two points");
      }
      break;
    }
    case models::EnergyLaw::bank:
      entry.points = read_bank_points(section);
      break;
    case models::EnergyLaw::multiple:
      entry.of = choice(section.value("of"), action_names());
      entry.times = section.value("times").number(0, most_times);
      entry.source = source();
      break;
  }
}

// A multiple's base must be there.
void check_multiples(reading::Section& top,
                     const std::map<models::Action, models::EnergyEntry>& entries) {
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
}

}  // namespace

models::EnergyEntry read_energy_entry(reading::Section section) {
  Collector collector(section);
  models::EnergyEntry entry;
  collector.mistakes().collect([&] { read_entry(section, entry, collector.mistakes()); });
  collector.raise();
  return entry;
}

models::EnergyTable read_energy_table(const std::filesystem::path& file) {
  const reading::Node root = reading::read_toml(file);
  reading::Mistakes mistakes;
  reading::Section top("", {&root});
  top.collect_into(mistakes);
  Heading heading = read_heading(top, {"action", "leakage"}, mistakes);
  std::map<models::Action, models::EnergyEntry> entries;
  read_entries(top, "action", action_names(), mistakes,
               [&](models::Action action, const reading::Value& value) {
                 entries[action] = read_energy_entry(value.section());
               });
  models::PartPrices leakage;
  if (top.has("leakage")) {
    read_entries(top, "leakage", part_names(), mistakes,
                 [&](models::AreaPart part, const reading::Value& value) {
                   leakage.set(part,
                               read_part_points(value.section(), part, "uw", most_microwatts));
                 });
  }
  if (mistakes.count() == 0) mistakes.collect([&] { check_multiples(top, entries); });
  mistakes.raise();
  return {std::move(heading.name), std::move(heading.title), std::move(heading.technology),
          std::move(entries), std::move(leakage)};
}

models::AreaTable read_area_table(const std::filesystem::path& file) {
  const reading::Node root = reading::read_toml(file);
  reading::Mistakes mistakes;
  reading::Section top("", {&root});
  top.collect_into(mistakes);
  Heading heading = read_heading(top, {"area"}, mistakes);
  models::PartPrices parts;
  read_entries(top, "area", part_names(), mistakes,
               [&](models::AreaPart part, const reading::Value& value) {
                 parts.set(part, read_part_points(value.section(), part, "um2", most_um2));
               });
  if (mistakes.count() == 0) {
    mistakes.collect([&] {
      for (const models::AreaPart part : models::area_parts) {
        // Which a scenario may count as 0.
        if (part == models::AreaPart::memory || part == models::AreaPart::sram) continue;
        if (parts.has(part)) continue;
        top.refuse("area", "[area." + models::to_string(part) + "] is missing");
      }
    });
  }
  mistakes.raise();
  return {std::move(heading.name), std::move(heading.title), std::move(heading.technology),
          std::move(parts)};
}

}  // namespace abacus::experiment
