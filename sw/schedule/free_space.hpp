// What of the activation SRAM no tensor occupies while a layer runs, and the layer's buffers in it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sw/schedule/address_space.hpp"

namespace abacus::schedule {

class FreeSpace {
 public:
  // `taken` may overlap and stand in any order.
  FreeSpace(std::uint64_t capacity, std::vector<AddressRange> taken);

  const std::vector<AddressRange>& ranges() const { return ranges_; }

  // The lowest place for so many bytes, which is then taken.
  std::optional<std::uint64_t> take_lowest(std::uint64_t bytes);
  // The highest one.
  std::optional<std::uint64_t> take_highest(std::uint64_t bytes);

 private:
  std::vector<AddressRange> ranges_;  // from low to high
};

}  // namespace abacus::schedule
