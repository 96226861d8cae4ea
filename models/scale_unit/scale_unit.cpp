#include "models/scale_unit/scale_unit.hpp"

#include <stdexcept>
#include <string>

namespace abacus::models {

ScaleUnit::ScaleUnit(int lanes, int accumulator_bits, CpuTarget target)
    : lanes_(lanes), accumulator_bits_(accumulator_bits), target_(target) {
  if (lanes < 1) {
    throw std::invalid_argument("scale_unit: scale_lanes is " + std::to_string(lanes) +
                                "; allowed: 1 or more");
  }
}

void ScaleUnit::count(Activity& activity, int layer, const ScaleFormat& format,
                      std::int64_t outputs) const {
  if (!activity.enabled()) return;
  activity.count(layer, Component::scale_unit, Action::multiply, outputs, accumulator_bits_,
                 multiplier_bits);
  activity.count(layer, Component::scale_unit, Action::add, 2 * outputs, sum_bits);
  activity.count(layer, Component::scale_unit, Action::shift, outputs, sum_bits);
  if (!format.has_residual) return;
  activity.count(layer, Component::scale_unit, Action::multiply, outputs, format.residual.bits,
                 multiplier_bits);
  activity.count(layer, Component::scale_unit, Action::shift, outputs, sum_bits);
  activity.count(layer, Component::scale_unit, Action::add, outputs, sum_bits);
}

}  // namespace abacus::models
