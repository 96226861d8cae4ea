// What the kinds with exponent weights have in common: the tap's sign is apart from its magnitude.
#pragma once

#include <string>
#include <vector>

#include "models/elements/processing_element.hpp"

namespace abacus::models {

class ExponentElement : public ProcessingElement {
 public:
  using ProcessingElement::ProcessingElement;

  int tap(const TapFormat& format, int activation, int weight) const final;
  int largest_tap(const TapFormat& format) const final;
  bool zero_gives_zero(const TapFormat& /*format*/) const final { return true; }
  std::string refuse(const TapFormat& format) const override;
  // The largest magnitude and a sign.
  int tap_bits(const TapFormat& format) const final;
  // A shift each.
  void count_taps(Activity& activity, int layer, Component component, const TapFormat& format,
                  std::int64_t taps) const override;
  int widest_tap_bits(const hw::PeArrayConfig& array) const override;
  std::vector<AreaUse> unit_parts(const hw::PeArrayConfig& array) const override;

 protected:
  // What a weight of magnitude code, 1 … levels, makes of an activation's magnitude, in units of
  // 2^−fraction_bits.
  virtual int level(const TapFormat& format, int code, int magnitude) const = 0;
  // magnitude · 2^−exponent, what lies below the fraction cut off.
  static int shifted(const TapFormat& format, int magnitude, int exponent);
  static AreaUse shifter(const hw::PeArrayConfig& array, int count);
};

}  // namespace abacus::models
