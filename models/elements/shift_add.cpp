// shift-add: a shift's unit and an adder's in front of one tree, accumulator and weight buffer; a command
// uses one of them. ShiftAddNet's layers, shift and adder by turns, run one after the other.
#include <algorithm>

#include "models/elements/processing_element.hpp"

namespace abacus::models {
namespace {

class ShiftAddElement : public ProcessingElement {
 public:
  ShiftAddElement() : ProcessingElement("shift-add") {}

  int tap(const TapFormat& format, int activation, int weight) const override {
    return unit(format).tap(format, activation, weight);
  }
  int largest_tap(const TapFormat& format) const override {
    return unit(format).largest_tap(format);
  }
  bool zero_gives_zero(const TapFormat& format) const override {
    return unit(format).zero_gives_zero(format);
  }
  std::string refuse(const TapFormat& format) const override { return unit(format).refuse(format); }
  int tap_bits(const TapFormat& format) const override { return unit(format).tap_bits(format); }
  void count_taps(Activity& activity, int layer, Component component, const TapFormat& format,
                  std::int64_t taps) const override {
    unit(format).count_taps(activity, layer, component, format, taps);
  }

  int widest_tap_bits(const hw::PeArrayConfig& array) const override {
    return std::max(shift().widest_tap_bits(array), adder().widest_tap_bits(array));
  }
  std::vector<AreaUse> unit_parts(const hw::PeArrayConfig& array) const override {
    std::vector<AreaUse> parts = shift().unit_parts(array);
    for (const AreaUse& part : adder().unit_parts(array)) parts.push_back(part);
    return parts;
  }

 private:
  static const ProcessingElement& unit(const TapFormat& format) {
    return processing_element(format.kind);
  }
  static const ProcessingElement& shift() { return processing_element(hw::TapKind::shifted); }
  static const ProcessingElement& adder() {
    return processing_element(hw::TapKind::absolute_difference);
  }
};

}  // namespace

const ProcessingElement& shift_add_element() {
  static const ShiftAddElement element;
  return element;
}

}  // namespace abacus::models
