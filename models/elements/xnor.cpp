// xnor: a · w of −1 and +1, as the XNOR of their bits, the tap of binary networks.
//
// The tree counts the p taps of n that agree; 2p − n, the sum of the products, takes one more addition
// (doubling is wiring).
#include "models/elements/integer_element.hpp"
#include "models/elements/operand_shifts.hpp"
#include "tlm/integer_math.hpp"

namespace abacus::models {
namespace {

class XnorElement : public IntegerElement {
 public:
  XnorElement() : IntegerElement("xnor") {}

  int tap(const TapFormat& /*format*/, int activation, int weight) const override {
    return activation * weight;
  }

  int fewest_bits() const override { return 1; }
  int most_bits() const override { return 1; }

  std::string refuse(const TapFormat& format) const override {
    const std::string shifts = refuse_shifts(format, "an XNOR");
    if (!shifts.empty()) return shifts;
    if (!format.activation_signed || !format.weight_signed) {
      return "activation_signed " + std::to_string(format.activation_signed) + ", weight_signed " +
             std::to_string(format.weight_signed) + "; an XNOR's operands are -1 and +1: 1 only";
    }
    return {};
  }

  int tap_bits(const TapFormat& /*format*/) const override { return 1; }

  void count_taps(Activity& activity, int layer, Component component, const TapFormat& /*format*/,
                  std::int64_t taps) const override {
    activity.count(layer, component, Action::xnor, taps, 1);
  }

  void count_sums(Activity& activity, int layer, Component component, int lanes,
                  std::int64_t sums) const override {
    activity.count(layer, component, Action::add, sums, doubled_bits(lanes));
  }

  int widest_tap_bits(const hw::PeArrayConfig& /*array*/) const override { return 1; }
  std::vector<AreaUse> unit_parts(const hw::PeArrayConfig& /*array*/) const override {
    return {{AreaPart::bitwise, 1, 1}};
  }
  std::vector<AreaUse> column_parts(const hw::PeArrayConfig& array) const override {
    return {{AreaPart::adder, 1, double{1} * doubled_bits(array.rows)}};
  }

 private:
  // −lanes … lanes
  static int doubled_bits(int lanes) { return hw::bit_width(lanes) + 1; }
};

}  // namespace

const ProcessingElement& xnor_element() {
  static const XnorElement element;
  return element;
}

}  // namespace abacus::models
