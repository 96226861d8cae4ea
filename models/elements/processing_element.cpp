#include "models/elements/processing_element.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

namespace abacus::models {

// One a file.
const ProcessingElement& adder_element();
const ProcessingElement& apot_element();
const ProcessingElement& mac_element();
const ProcessingElement& post_element();
const ProcessingElement& shift_add_element();
const ProcessingElement& shift_element();
const ProcessingElement& table_element();
const ProcessingElement& xnor_element();

const ProcessingElement& processing_element(hw::ProcessingElementKind kind) {
  static const std::array<const ProcessingElement*, hw::processing_elements.size()> elements = {
      &adder_element(),     &mac_element(),  &xnor_element(), &shift_element(),
      &shift_add_element(), &post_element(), &apot_element(), &table_element()};
  for (const ProcessingElement* element : elements) {
    if (element->kind() == kind) return *element;
  }
  throw std::logic_error("no processing element \"" + hw::to_string(kind) +
                         "\" in models/elements");
}

const ProcessingElement& processing_element(hw::TapKind tap) {
  return processing_element(hw::ProcessingElementKind(tap));
}

int ProcessingElement::largest_tap(const TapFormat& format) const {
  int largest = 0;
  for (int a = format.lowest_activation(); a <= format.highest_activation(); ++a) {
    for (int w = format.lowest_weight(); w <= format.highest_weight(); ++w) {
      largest = std::max(largest, std::abs(tap(format, a, w)));
    }
  }
  return largest;
}

}  // namespace abacus::models
