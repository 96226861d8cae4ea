// apot: ±|a|·(2^−p + 2^−q), one or two shifts; low and high bits of the code's magnitude choose p and q.
#include <algorithm>

#include "models/elements/exponent_element.hpp"

namespace abacus::models {
namespace {

class ApotElement : public ExponentElement {
 public:
  ApotElement() : ExponentElement("apot") {}

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

  int widest_tap_bits(const hw::PeArrayConfig& array) const override {
    return array.activation_bits + array.fraction_bits + 2;
  }
  std::vector<AreaUse> unit_parts(const hw::PeArrayConfig& array) const override {
    return {shifter(array, 2), {AreaPart::adder, 1, double{1} * widest_tap_bits(array)}};
  }

 protected:
  int level(const TapFormat& format, int code, int magnitude) const override {
    const int first = code & ((1 << format.first_term_bits) - 1);
    const int second = code >> format.first_term_bits;
    return term(format, first, magnitude) + term(format, hw::term_exponents + second, magnitude);
  }

 private:
  static int term(const TapFormat& format, int place, int magnitude) {
    const int exponent = format.terms[static_cast<std::size_t>(place)];
    return exponent == hw::no_term ? 0 : shifted(format, magnitude, exponent);
  }
};

}  // namespace

const ProcessingElement& apot_element() {
  static const ApotElement element;
  return element;
}

}  // namespace abacus::models
