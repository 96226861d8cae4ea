#include "models/vector_unit/vector_unit.hpp"

#include <stdexcept>
#include <string>

#include "tlm/integer_math.hpp"

namespace abacus::models {

VectorUnit::VectorUnit(const hw::VectorUnitConfig& config) : config_(config) {
  if (config.lanes < 1) {
    throw std::invalid_argument("vector_unit: lanes is " + std::to_string(config.lanes) +
                                "; allowed: 1 or more");
  }
}

void VectorUnit::count_add(Activity& activity, int layer, const AddFormat& format,
                           std::int64_t elements) const {
  if (!activity.enabled()) return;
  for (const int bits : {format.first.bits, format.second.bits}) {
    activity.count(layer, Component::vector_unit, Action::multiply, elements, bits,
                   multiplier_bits);
  }
  activity.count(layer, Component::vector_unit, Action::shift, 3 * elements, sum_bits);
  activity.count(layer, Component::vector_unit, Action::add, 2 * elements, sum_bits);
}

void VectorUnit::count_pool(Activity& activity, int layer, const PoolFormat& format) const {
  if (!activity.enabled()) return;
  const std::int64_t outputs = std::int64_t{format.height} * format.width * format.channels;
  const int window = format.kernel * format.kernel;
  // A maximum is no wider than its elements, a sum grows with the window.
  const int value_bits = format.input.bits + (format.maximum ? 0 : hw::ceil_log2(window));
  activity.count(layer, Component::vector_unit, Action::add, outputs * (window - 1), value_bits);
  activity.count(layer, Component::vector_unit, Action::multiply, outputs, value_bits,
                 multiplier_bits);
  activity.count(layer, Component::vector_unit, Action::add, 2 * outputs, sum_bits);
  activity.count(layer, Component::vector_unit, Action::shift, outputs, sum_bits);
}

}  // namespace abacus::models
