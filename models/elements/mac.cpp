// mac: a · w, the tap of ordinary convolutions.
#include "models/elements/integer_element.hpp"
#include "models/elements/operand_shifts.hpp"

namespace abacus::models {
namespace {

class MacElement : public IntegerElement {
 public:
  MacElement() : IntegerElement("mac") {}

  int tap(const TapFormat& /*format*/, int activation, int weight) const override {
    return activation * weight;
  }

  bool zero_gives_zero(const TapFormat& /*format*/) const override { return true; }

  std::string refuse(const TapFormat& format) const override {
    return refuse_shifts(format, "a multiplier");
  }

  int tap_bits(const TapFormat& format) const override {
    return format.activation_bits + format.weight_bits;
  }

  void count_taps(Activity& activity, int layer, Component component, const TapFormat& format,
                  std::int64_t taps) const override {
    activity.count(layer, component, Action::multiply, taps, format.activation_bits,
                   format.weight_bits);
  }

  int widest_tap_bits(const hw::PeArrayConfig& array) const override {
    return array.weight_bits + array.activation_bits;
  }
  std::vector<AreaUse> unit_parts(const hw::PeArrayConfig& array) const override {
    return {{AreaPart::multiplier, 1, double{1} * array.weight_bits,
             double{1} * array.activation_bits}};
  }
};

}  // namespace

const ProcessingElement& mac_element() {
  static const MacElement element;
  return element;
}

}  // namespace abacus::models
