// Area of the parts that a PE array is made of, from a table file that names its source for every
// number.
//
// File (TOML): `name`, `title`, `technology`, then one table [area.PART] a part:
//
//   PART          law              area, in µm²
//   "adder"       "width"          of bits
//   "multiplier"  "width-product"  of bits × bits
//   "shifter"     "width"          of the window's bits
//   "bitwise"     "width"          XNOR, of bits compared
//   "register"    "width"          of bits
//   "memory"      "width"          of bits of small memories: lookup tables, a PE's weight buffer.
//                                  May be missing: then they are left out, and reports say so
//
// Laws: points = [{bits, um2, source} …], ascending. Straight lines between the points, proportional
// outside of them: "width" over the bits, "width-product" over the product of two widths (a point's
// `bits` is that of both operands). docs/area.md lists the shipped table.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "models/area/area_part.hpp"

namespace abacus::models {

// Those that files price.
inline constexpr std::array<AreaPart, 6> area_parts = {
    AreaPart::adder,   AreaPart::multiplier,    AreaPart::shifter,
    AreaPart::bitwise, AreaPart::register_bits, AreaPart::memory};
std::string to_string(AreaPart part);  // as in the file

struct AreaPoint {
  double at = 0.0;  // bits, or bits × bits
  double um2 = 0.0;
  std::string source;
};

class AreaTable {
 public:
  AreaTable() = default;
  // `entries`: all parts, but memory, which may be missing.
  AreaTable(std::string name, std::string title, std::string technology,
            std::map<AreaPart, std::vector<AreaPoint>> entries);

  const std::string& name() const { return name_; }
  const std::string& title() const { return title_; }
  const std::string& technology() const { return technology_; }
  const std::map<AreaPart, std::vector<AreaPoint>>& entries() const { return entries_; }
  bool has_memory() const { return entries_.count(AreaPart::memory) != 0; }

  // The same table with the area of a described element, which says it itself.
  AreaTable with_element(double um2, const std::string& source) const;

  // µm² of one part of so many bits; `bits_b` is a multiplier's other operand. 0 for a memory or an
  // element that the table does not have.
  double um2(AreaPart part, double bits_a, double bits_b = 0) const;
  double um2(const AreaUse& use) const { return use.count * um2(use.part, use.bits_a, use.bits_b); }

 private:
  std::string name_;
  std::string title_;
  std::string technology_;
  std::map<AreaPart, std::vector<AreaPoint>> entries_;
};

}  // namespace abacus::models
