// adder: |(a << activation_shift) − (w << weight_shift)|, the tap of AdderNet.
#include <algorithm>
#include <cstdlib>

#include "models/elements/integer_element.hpp"
#include "models/elements/operand_shifts.hpp"
#include "tlm/integer_math.hpp"

namespace abacus::models {
namespace {

class AdderElement : public IntegerElement {
 public:
  AdderElement() : IntegerElement("adder") {}

  int tap(const TapFormat& format, int activation, int weight) const override {
    return std::abs(activation * (1 << format.activation_shift) -
                    weight * (1 << format.weight_shift));
  }

  std::string refuse(const TapFormat& format) const override {
    if (format.activation_shift > 7 || format.weight_shift > 7) {
      return shifts_text(format) + "; allowed: 0 to 7";
    }
    if (format.activation_shift != 0 && format.weight_shift != 0) {
      return shifts_text(format, " and ") + "; one of them must be 0";
    }
    const int a = std::max(-format.lowest_activation(), format.highest_activation())
                  << format.activation_shift;
    const int w = std::max(-format.lowest_weight(), format.highest_weight()) << format.weight_shift;
    if (a > 512 || w > 512) {
      return "shifted operands reach " + std::to_string(std::max(a, w)) + "; allowed: up to 512";
    }
    return {};
  }

  int tap_bits(const TapFormat& format) const override {
    return hw::bit_width(largest_tap(format));
  }

  void count_taps(Activity& activity, int layer, Component component, const TapFormat& format,
                  std::int64_t taps) const override {
    const int bits = std::max(format.activation_bits + format.activation_shift,
                              format.weight_bits + format.weight_shift);
    activity.count(layer, component, Action::absolute_difference, taps, bits);
  }

  int widest_tap_bits(const hw::PeArrayConfig& array) const override { return wider(array) + 1; }
  // A subtraction and a conditional negation, as its energy.
  std::vector<AreaUse> unit_parts(const hw::PeArrayConfig& array) const override {
    return {{AreaPart::adder, 2, double{1} * wider(array)}};
  }

 private:
  static int wider(const hw::PeArrayConfig& array) {
    return std::max(array.weight_bits, array.activation_bits);
  }
};

}  // namespace

const ProcessingElement& adder_element() {
  static const AdderElement element;
  return element;
}

}  // namespace abacus::models
