// What the kinds with integer (or sign) weights have in common.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>

#include "models/elements/processing_element.hpp"

namespace abacus::models {

class IntegerElement : public ProcessingElement {
 public:
  using ProcessingElement::ProcessingElement;

  // At an end of either range.
  int largest_tap(const TapFormat& format) const override {
    int largest = 0;
    for (const int a : {format.lowest_activation(), format.highest_activation()}) {
      for (const int w : {format.lowest_weight(), format.highest_weight()}) {
        largest = std::max(largest, std::abs(tap(format, a, w)));
      }
    }
    return largest;
  }
};

}  // namespace abacus::models
