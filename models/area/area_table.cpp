#include "models/area/area_table.hpp"

#include <cstddef>
#include <stdexcept>
#include <utility>

namespace abacus::models {
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
    case AreaPart::element:
      return "element";
  }
  throw std::logic_error("to_string: not a part");
}

AreaTable::AreaTable(std::string name, std::string title, std::string technology,
                     std::map<AreaPart, std::vector<AreaPoint>> entries)
    : name_(std::move(name)),
      title_(std::move(title)),
      technology_(std::move(technology)),
      entries_(std::move(entries)) {}

AreaTable AreaTable::with_element(double um2, const std::string& source) const {
  AreaTable table = *this;
  table.entries_[AreaPart::element] = {{1.0, um2, source}};
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

}  // namespace abacus::models
