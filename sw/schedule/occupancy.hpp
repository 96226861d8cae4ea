// Which step last uses each part of an SRAM, and a ring of buffers on top of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sw/schedule/address_space.hpp"

namespace abacus::schedule {

class Occupancy {
 public:
  // Step `step` uses the range. Steps come in order.
  void touch(const AddressRange& range, int step) {
    uses_.erase(std::remove_if(uses_.begin(), uses_.end(),
                               [&](const Use& use) { return range.contains(use.range); }),
                uses_.end());
    uses_.push_back({range, step});
  }

  // Last step that uses any byte of the range; −1: none.
  int last_use(const AddressRange& range) const {
    int last = -1;
    for (const Use& use : uses_) {
      if (use.range.overlaps(range)) last = std::max(last, use.step);
    }
    return last;
  }

 private:
  struct Use {
    AddressRange range;
    int step;
  };
  std::vector<Use> uses_;
};

// Hands out places in a memory one behind the other, and from the start again at its end.
class Ring {
 public:
  explicit Ring(std::uint32_t capacity) : capacity_(capacity) {}

  std::uint32_t capacity() const { return capacity_; }

  // `bytes` at most the capacity.
  std::uint32_t take(std::uint64_t bytes) {
    if (next_ + bytes > capacity_) next_ = 0;
    const std::uint64_t address = next_;
    next_ = align_up(next_ + bytes);
    return static_cast<std::uint32_t>(address);
  }

 private:
  std::uint32_t capacity_;
  std::uint64_t next_ = 0;
};

}  // namespace abacus::schedule
