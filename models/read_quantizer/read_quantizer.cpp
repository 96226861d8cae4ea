#include "models/read_quantizer/read_quantizer.hpp"

namespace abacus::models {

void ReadQuantizer::count(Activity& activity, int layer, const ReadFormat& format,
                          std::int64_t elements) const {
  if (!activity.enabled() || format.wired()) return;
  const int product_bits = format.stored.bits + multiplier_bits;
  activity.count(layer, Component::read_quantizer, Action::multiply, elements, format.stored.bits,
                 multiplier_bits);
  activity.count(layer, Component::read_quantizer, Action::add, elements, product_bits);
  activity.count(layer, Component::read_quantizer, Action::shift, elements, product_bits);
}

}  // namespace abacus::models
