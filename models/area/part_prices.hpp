// What parts take of something (area, leakage), by their widths, each number with its source.
//
//   part         law              amount
//   adder, shifter, bitwise, register, memory
//                "width"          straight lines over the bits, proportional outside of the points
//   multiplier   "width-product"  the same over the product of both widths (a point's `bits` is that
//                                 of both operands)
//   sram         "capacity"       of a bank's bytes: power law between (and beyond) the two nearest
//                                 points; one point, or one of 0: straight lines
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/area/area_part.hpp"

namespace abacus::models {

struct PartPoint {
  double at = 0.0;  // bits, bits × bits or bytes
  double amount = 0.0;
  std::string source;
};

class PartPrices {
 public:
  PartPrices() = default;
  // Points ascend, a part has at least one.
  explicit PartPrices(std::map<AreaPart, std::vector<PartPoint>> points);

  bool has(AreaPart part) const { return points_.count(part) != 0; }
  const std::map<AreaPart, std::vector<PartPoint>>& points() const { return points_; }
  void set(AreaPart part, std::vector<PartPoint> points) { points_[part] = std::move(points); }

  // 0 for a part that is not there.
  double of(AreaPart part, double bits_a, double bits_b = 0) const;
  double of(const AreaUse& use) const { return use.count * of(use.part, use.bits_a, use.bits_b); }
  double of(const std::vector<AreaUse>& uses) const;

 private:
  std::map<AreaPart, std::vector<PartPoint>> points_;
};

}  // namespace abacus::models
