#include "models/area/part_prices.hpp"

#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <utility>

namespace abacus::models {
namespace {

double straight_lines(const std::vector<PartPoint>& points, double at) {
  if (at <= points.front().at) return points.front().amount * (at / points.front().at);
  if (at >= points.back().at) return points.back().amount * (at / points.back().at);
  std::size_t i = 1;
  while (points[i].at < at) ++i;
  const PartPoint& low = points[i - 1];
  const PartPoint& high = points[i];
  return low.amount + (high.amount - low.amount) * ((at - low.at) / (high.at - low.at));
}

double power_law(const std::vector<PartPoint>& points, double at) {
  if (points.size() == 1) return points.front().amount * (at / points.front().at);
  std::size_t i = 1;
  while (i + 1 < points.size() && points[i].at < at) ++i;
  const PartPoint& low = points[i - 1];
  const PartPoint& high = points[i];
  if (low.amount == 0 || high.amount == 0) return straight_lines(points, at);
  const double exponent = std::log(high.amount / low.amount) / std::log(high.at / low.at);
  return low.amount * std::pow(at / low.at, exponent);
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
    case AreaPart::sram:
      return "sram";
    case AreaPart::element:
      return "element";
  }
  throw std::logic_error("to_string: not a part");
}

PartPrices::PartPrices(std::map<AreaPart, std::vector<PartPoint>> points)
    : points_(std::move(points)) {}

double PartPrices::of(AreaPart part, double bits_a, double bits_b) const {
  const auto found = points_.find(part);
  if (found == points_.end()) return 0.0;
  switch (part) {
    case AreaPart::multiplier:
      return straight_lines(found->second, bits_a * bits_b);
    case AreaPart::sram:
      return power_law(found->second, bits_a);
    case AreaPart::element:
      return found->second.front().amount;
    default:
      return straight_lines(found->second, bits_a);
  }
}

double PartPrices::of(const std::vector<AreaUse>& uses) const {
  double sum = 0;
  for (const AreaUse& use : uses) sum += of(use);
  return sum;
}

}  // namespace abacus::models
