#include "models/area/area_table.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "models/energy/table_fields.hpp"

namespace abacus {
namespace {

constexpr std::array<AreaPart, 6> all_parts = {AreaPart::adder,         AreaPart::multiplier,
                                               AreaPart::shifter,       AreaPart::bitwise,
                                               AreaPart::register_bits, AreaPart::memory};

std::optional<AreaPart> part_from_string(std::string_view text) {
  for (const AreaPart part : all_parts) {
    if (to_string(part) == text) return part;
  }
  return std::nullopt;
}

std::string part_names() {
  std::string names;
  for (const AreaPart part : all_parts) names += (names.empty() ? "" : ", ") + to_string(part);
  return names;
}

std::vector<AreaPoint> read_points(const std::filesystem::path& file, const toml::table& table,
                                   AreaPart part) {
  const TableFields fields(file, table);
  fields.allow({"law", "points"});
  const bool product = part == AreaPart::multiplier;
  const std::string law = product ? "width-product" : "width";
  if (fields.text("law") != law) {
    fields.refuse(fields.node("law"), "found \"" + fields.text("law") + "\"; a " + to_string(part) +
                                          " has law \"" + law + '"');
  }
  const toml::node& node = fields.node("points");
  const toml::array* array = node.as_array();
  if (array == nullptr || array->empty()) {
    fields.refuse(node, "`points` must be a list with at least one {bits, um2, source}");
  }
  std::vector<AreaPoint> points;
  for (const toml::node& element : *array) {
    if (!element.is_table()) fields.refuse(element, "a point must be a table {bits, um2, source}");
    const TableFields point(file, *element.as_table());
    point.allow({"bits", "um2", "source"});
    const double bits = point.number("bits", 1.0);
    const double at = product ? bits * bits : bits;
    if (!points.empty() && at <= points.back().at) {
      fields.refuse(element, "points must stand in ascending order of `bits`");
    }
    points.push_back({at, point.number("um2", 0.0), point.text("source")});
  }
  return points;
}

}  // namespace

std::string to_string(AreaPart part) {
  switch (part) {
    case AreaPart::adder:
      return "adder";
    case AreaPart::multiplier:
      return "multiplier";
    case AreaPart::shifter:
      return "shifter";
    case AreaPart::bitwise:
      return "bitwise";
    case AreaPart::register_bits:
      return "register";
    case AreaPart::memory:
      return "memory";
  }
  throw std::logic_error("to_string: not a part");
}

AreaTable AreaTable::read(const std::filesystem::path& file) {
  const toml::table root = read_table_file(file);
  const TableFields fields(file, root);
  fields.allow({"name", "title", "technology", "area"});
  AreaTable table;
  table.name_ = fields.text("name");
  table.title_ = fields.text("title");
  table.technology_ = fields.text("technology");
  const toml::table& parts = fields.subtable("area");
  for (const auto& [key, value] : parts) {
    const auto part = part_from_string(key.str());
    if (!part) {
      refuse_at(file, key.source(),
                "unknown part `" + std::string(key.str()) + "`; known: " + part_names());
    }
    if (!value.is_table()) refuse_at(file, key.source(), "a part must be a table");
    table.entries_[*part] = read_points(file, *value.as_table(), *part);
  }
  for (const AreaPart part : all_parts) {
    if (part == AreaPart::memory || table.entries_.count(part) != 0) continue;
    fields.refuse(fields.node("area"), "[area." + to_string(part) + "] is missing");
  }
  return table;
}

double AreaTable::um2(AreaPart part, double bits_a, double bits_b) const {
  const auto entry = entries_.find(part);
  if (entry == entries_.end()) return 0.0;
  const std::vector<AreaPoint>& points = entry->second;
  const double at = part == AreaPart::multiplier ? bits_a * bits_b : bits_a;
  if (at <= points.front().at) return points.front().um2 * (at / points.front().at);
  if (at >= points.back().at) return points.back().um2 * (at / points.back().at);
  std::size_t i = 1;
  while (points[i].at < at) ++i;
  const AreaPoint& low = points[i - 1];
  const AreaPoint& high = points[i];
  return low.um2 + (high.um2 - low.um2) * ((at - low.at) / (high.at - low.at));
}

}  // namespace abacus
