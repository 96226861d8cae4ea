#include "sw/schedule/free_space.hpp"

#include <algorithm>

namespace abacus::schedule {

FreeSpace::FreeSpace(std::uint64_t capacity, std::vector<AddressRange> taken) {
  std::sort(taken.begin(), taken.end(),
            [](const AddressRange& a, const AddressRange& b) { return a.begin < b.begin; });
  std::uint64_t next = 0;
  for (const AddressRange& range : taken) {
    if (range.begin > next) ranges_.push_back({next, range.begin});
    next = std::max(next, align_up(range.end));
  }
  if (next < capacity) ranges_.push_back({next, capacity});
}

std::optional<std::uint64_t> FreeSpace::take_lowest(std::uint64_t bytes) {
  for (AddressRange& range : ranges_) {
    if (range.end - range.begin < bytes) continue;
    const std::uint64_t address = range.begin;
    range.begin = std::min(range.end, align_up(address + bytes));
    return address;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> FreeSpace::take_highest(std::uint64_t bytes) {
  for (auto range = ranges_.rbegin(); range != ranges_.rend(); ++range) {
    if (range->end - range->begin < bytes) continue;
    // A range's begin is aligned, so this is not below it.
    const std::uint64_t address = (range->end - bytes) / region_alignment * region_alignment;
    range->end = address;
    return address;
  }
  return std::nullopt;
}

}  // namespace abacus::schedule
