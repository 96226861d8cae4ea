#include "models/area/area_table.hpp"

#include <utility>

namespace abacus::models {

AreaTable::AreaTable(std::string name, std::string title, std::string technology, PartPrices parts)
    : name_(std::move(name)),
      title_(std::move(title)),
      technology_(std::move(technology)),
      parts_(std::move(parts)) {}

std::vector<std::string> AreaTable::missing() const {
  std::vector<std::string> names;
  for (const AreaPart part : area_parts) {
    if (!parts_.has(part)) names.push_back("area." + to_string(part));
  }
  return names;
}

AreaTable AreaTable::with_element(double um2, const std::string& source) const {
  AreaTable table = *this;
  table.parts_.set(AreaPart::element, {{1.0, um2, source}});
  return table;
}

}  // namespace abacus::models
