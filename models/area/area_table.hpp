// Area of the parts that blocks are made of, from a table file that names its source for every number.
//
// File (TOML): `name`, `title`, `technology`, then one table [area.PART] a part:
//
//   PART          law              area, in µm²
//   "adder"       "width"          of bits
//   "multiplier"  "width-product"  of bits × bits
//   "shifter"     "width"          of the window's bits
//   "bitwise"     "width"          XNOR, of bits compared
//   "register"    "width"          of bits
//   "memory"      "width"          of bits of small memories: lookup tables, a PE's weights, queues
//   "sram"        "capacity"       of a bank of so many bytes
//
// "memory" and "sram" may be missing: a scenario then has to say that they count as 0.
// Laws: models/area/part_prices.hpp; points = [{bits or bytes, um2, source} …], ascending. docs/area.md
// lists the shipped table.
#pragma once

#include <string>
#include <vector>

#include "models/area/area_part.hpp"
#include "models/area/part_prices.hpp"

namespace abacus::models {

class AreaTable {
 public:
  AreaTable() = default;
  // `parts`, in µm²: all, but memory and sram, which may be missing.
  AreaTable(std::string name, std::string title, std::string technology, PartPrices parts);

  const std::string& name() const { return name_; }
  const std::string& title() const { return title_; }
  const std::string& technology() const { return technology_; }
  const PartPrices& parts() const { return parts_; }
  bool has_memory() const { return parts_.has(AreaPart::memory); }
  // Parts that it does not have, as in files: they count as 0.
  std::vector<std::string> missing() const;

  // The same table with the area of a described element, which says it itself.
  AreaTable with_element(double um2, const std::string& source) const;

  // µm² of one part of so many bits; `bits_b` is a multiplier's other operand. 0 for a part that the
  // table does not have.
  double um2(AreaPart part, double bits_a, double bits_b = 0) const {
    return parts_.of(part, bits_a, bits_b);
  }
  double um2(const AreaUse& use) const { return parts_.of(use); }
  double um2(const std::vector<AreaUse>& uses) const { return parts_.of(uses); }

 private:
  std::string name_;
  std::string title_;
  std::string technology_;
  PartPrices parts_;
};

}  // namespace abacus::models
