// The tap of every pair of operands of a format, looked up where taps are added one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/elements/tap_format.hpp"

namespace abacus::models {

class TapTable {
 public:
  explicit TapTable(const TapFormat& format);

  const TapFormat& format() const { return format_; }
  std::int32_t operator()(int activation, int weight) const {
    return taps_[static_cast<std::size_t>(static_cast<std::uint8_t>(weight)) * 256 +
                 static_cast<std::uint8_t>(activation)];
  }

 private:
  TapFormat format_;
  std::vector<std::int32_t> taps_;  // by the low bytes of weight and activation
};

}  // namespace abacus::models
