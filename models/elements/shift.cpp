// shift: ±(|a| << fraction_bits) >> p with p = |w| − 1; the sign is the adder tree's carry-in.
#include "models/elements/exponent_element.hpp"

namespace abacus::models {
namespace {

class ShiftElement : public ExponentElement {
 public:
  ShiftElement() : ExponentElement("shift") {}

 protected:
  int level(const TapFormat& format, int code, int magnitude) const override {
    return shifted(format, magnitude, code - 1);
  }
};

}  // namespace

const ProcessingElement& shift_element() {
  static const ShiftElement element;
  return element;
}

}  // namespace abacus::models
