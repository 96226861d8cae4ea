// table: any function of two codes, as the array's own table has it (tlm/element_table.hpp). The lane is
// built for that function: it takes operands of the table's widths and signs, and no others.
#include "models/elements/operand_shifts.hpp"
#include "models/elements/processing_element.hpp"

namespace abacus::models {
namespace {

std::string text(const hw::OperandFormat& operands) {
  const auto side = [](const char* name, int bits, bool is_signed) {
    return std::to_string(bits) + (is_signed ? " signed" : " unsigned") + " bits of " + name;
  };
  return side("weight", operands.weight_bits, operands.weight_signed) + ", " +
         side("activation", operands.activation_bits, operands.activation_signed);
}

class TableElement : public ProcessingElement {
 public:
  TableElement() : ProcessingElement("table") {}

  int tap(const TapFormat& format, int activation, int weight) const override {
    return format.element->tap(activation, weight);
  }
  // A bound: what the tap's bits hold.
  int largest_tap(const TapFormat& format) const override { return -format.element->lowest_tap(); }

  bool zero_gives_zero(const TapFormat& format) const override {
    for (int a = format.lowest_activation(); a <= format.highest_activation(); ++a) {
      if (tap(format, a, 0) != 0) return false;
    }
    for (int w = format.lowest_weight(); w <= format.highest_weight(); ++w) {
      if (tap(format, 0, w) != 0) return false;
    }
    return true;
  }

  int fewest_bits() const override { return 1; }

  std::string refuse(const TapFormat& format) const override {
    const std::string shifts = refuse_shifts(format, "a table");
    if (!shifts.empty()) return shifts;
    if (format.element == nullptr) return "the array has no table of taps";
    const hw::ElementTable& of = *format.element;
    if (format.same_operands(of)) return {};
    return text(format) + "; the table of " + of.name + " has " + text(of);
  }

  int tap_bits(const TapFormat& format) const override { return format.element->tap_bits; }

  void count_taps(Activity& activity, int layer, Component component, const TapFormat& format,
                  std::int64_t taps) const override {
    activity.count(layer, component, Action::element_tap, taps, format.activation_bits,
                   format.weight_bits);
  }

  int widest_tap_bits(const hw::PeArrayConfig& array) const override {
    return array.element ? array.element->tap_bits : array.weight_bits + array.activation_bits;
  }
  std::vector<AreaUse> unit_parts(const hw::PeArrayConfig& /*array*/) const override {
    return {{AreaPart::element, 1, 1}};
  }
};

}  // namespace

const ProcessingElement& table_element() {
  static const TableElement element;
  return element;
}

}  // namespace abacus::models
