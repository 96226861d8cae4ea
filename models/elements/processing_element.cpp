#include "models/elements/processing_element.hpp"

#include <algorithm>
#include <stdexcept>

#include "models/array/bit_width.hpp"

namespace abacus {
namespace {

class AdderElement : public ProcessingElement {
 public:
  ProcessingElementKind kind() const override { return ProcessingElementKind::adder; }

  std::string refuse(const TapFormat& format) const override {
    if (format.activation_shift > 7 || format.weight_shift > 7) {
      return "activation_shift " + std::to_string(format.activation_shift) + ", weight_shift " +
             std::to_string(format.weight_shift) + "; allowed: 0 to 7";
    }
    if (format.activation_shift != 0 && format.weight_shift != 0) {
      return "activation_shift " + std::to_string(format.activation_shift) + " and weight_shift " +
             std::to_string(format.weight_shift) + "; one of them must be 0";
    }
    const int a = std::max(-format.lowest_activation(), format.highest_activation())
                  << format.activation_shift;
    const int w = std::max(-format.lowest_weight(), format.highest_weight()) << format.weight_shift;
    if (a > 512 || w > 512) {
      return "shifted operands reach " + std::to_string(std::max(a, w)) + "; allowed: up to 512";
    }
    return {};
  }

  int tap_bits(const TapFormat& format) const override { return bit_width(format.largest_tap()); }

  void count_taps(Activity& activity, int layer, Component component, const TapFormat& format,
                  std::int64_t taps) const override {
    const int bits = std::max(format.activation_bits + format.activation_shift,
                              format.weight_bits + format.weight_shift);
    activity.count(layer, component, Action::absolute_difference, taps, bits);
  }
};

class MacElement : public ProcessingElement {
 public:
  ProcessingElementKind kind() const override { return ProcessingElementKind::mac; }

  std::string refuse(const TapFormat& format) const override {
    if (format.activation_shift != 0 || format.weight_shift != 0) {
      return "activation_shift " + std::to_string(format.activation_shift) + ", weight_shift " +
             std::to_string(format.weight_shift) + "; a multiplier takes 0 only";
    }
    return {};
  }

  int tap_bits(const TapFormat& format) const override {
    return format.activation_bits + format.weight_bits;
  }

  void count_taps(Activity& activity, int layer, Component component, const TapFormat& format,
                  std::int64_t taps) const override {
    activity.count(layer, component, Action::multiply, taps, format.activation_bits,
                   format.weight_bits);
  }
};

class XnorElement : public ProcessingElement {
 public:
  ProcessingElementKind kind() const override { return ProcessingElementKind::xnor; }
  int fewest_bits() const override { return 1; }
  int most_bits() const override { return 1; }

  std::string refuse(const TapFormat& format) const override {
    if (format.activation_shift != 0 || format.weight_shift != 0) {
      return "activation_shift " + std::to_string(format.activation_shift) + ", weight_shift " +
             std::to_string(format.weight_shift) + "; an XNOR takes 0 only";
    }
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
    // −lanes … lanes
    activity.count(layer, component, Action::add, sums, bit_width(lanes) + 1);
  }
};

// What the kinds with exponent weights have in common.
class ExponentElement : public ProcessingElement {
 public:
  std::string refuse(const TapFormat& format) const override {
    if (format.activation_shift != 0 || format.weight_shift != 0) {
      return "activation_shift " + std::to_string(format.activation_shift) + ", weight_shift " +
             std::to_string(format.weight_shift) + "; a shifter takes 0 only";
    }
    if (!format.weight_signed) return "weight_signed 0; a shifter's codes are signed: 1 only";
    const int codes = (1 << (format.weight_bits - 1)) - 1;
    if (format.levels < 1 || format.levels > codes) {
      return "levels is " + std::to_string(format.levels) + "; codes of " +
             std::to_string(format.weight_bits) + " bits have 1 to " + std::to_string(codes);
    }
    return {};
  }

  // The largest magnitude and a sign.
  int tap_bits(const TapFormat& format) const override {
    return bit_width(format.largest_tap()) + 1;
  }

  void count_taps(Activity& activity, int layer, Component component, const TapFormat& format,
                  std::int64_t taps) const override {
    activity.count(layer, component, Action::shift, taps,
                   format.activation_bits + format.fraction_bits);
  }
};

class ShiftElement : public ExponentElement {
 public:
  ProcessingElementKind kind() const override { return ProcessingElementKind::shift; }
};

class PostElement : public ExponentElement {
 public:
  ProcessingElementKind kind() const override { return ProcessingElementKind::post; }
};

class ApotElement : public ExponentElement {
 public:
  ProcessingElementKind kind() const override { return ProcessingElementKind::apot; }

  std::string refuse(const TapFormat& format) const override {
    const int most = std::min(4, format.weight_bits - 1);
    const int second_bits = format.weight_bits - 1 - format.first_term_bits;
    if (format.first_term_bits < 1 || format.first_term_bits > most || second_bits > 4) {
      return "first_term_bits is " + std::to_string(format.first_term_bits) +
             "; each term of codes of " + std::to_string(format.weight_bits) +
             " bits takes at most 4, the first one at least 1";
    }
    return ExponentElement::refuse(format);
  }

  void count_taps(Activity& activity, int layer, Component component, const TapFormat& format,
                  std::int64_t taps) const override {
    const bool two = format.weight_bits - 1 > format.first_term_bits;
    ExponentElement::count_taps(activity, layer, component, format, two ? 2 * taps : taps);
    if (two) activity.count(layer, component, Action::add, taps, tap_bits(format));
  }
};

// Both units in one lane; the taps say which one works.
class ShiftAddElement : public ProcessingElement {
 public:
  ProcessingElementKind kind() const override { return ProcessingElementKind::shift_add; }
  std::string refuse(const TapFormat& format) const override { return unit(format).refuse(format); }
  int tap_bits(const TapFormat& format) const override { return unit(format).tap_bits(format); }
  void count_taps(Activity& activity, int layer, Component component, const TapFormat& format,
                  std::int64_t taps) const override {
    unit(format).count_taps(activity, layer, component, format, taps);
  }

 private:
  static const ProcessingElement& unit(const TapFormat& format) {
    return processing_element(format.kind);
  }
};

}  // namespace

const ProcessingElement& processing_element(ProcessingElementKind kind) {
  static const AdderElement adder;
  static const MacElement mac;
  static const XnorElement xnor;
  static const ShiftElement shift;
  static const ShiftAddElement shift_add;
  static const PostElement post;
  static const ApotElement apot;
  switch (kind) {
    case ProcessingElementKind::adder:
      return adder;
    case ProcessingElementKind::mac:
      return mac;
    case ProcessingElementKind::xnor:
      return xnor;
    case ProcessingElementKind::shift:
      return shift;
    case ProcessingElementKind::shift_add:
      return shift_add;
    case ProcessingElementKind::post:
      return post;
    case ProcessingElementKind::apot:
      return apot;
  }
  throw std::invalid_argument("processing element: unknown kind " +
                              std::to_string(static_cast<int>(kind)));
}

}  // namespace abacus
