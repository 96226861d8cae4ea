// Addresses: alignment, and regions handed out one after the other.
#pragma once

#include <cstdint>

namespace abacus::schedule {

// Everything in DRAM and every buffer in an SRAM starts at a multiple of this: a DMA burst, and at
// least as wide as any SRAM port.
inline constexpr std::uint64_t region_alignment = 64;
// But for the column tiles of one layer, which a fetch brings side by side, with the gaps between them: a
// gap is less than the command that it spares.
inline constexpr std::uint64_t tile_alignment = 16;

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment = region_alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

// Half-open range of byte addresses.
struct AddressRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  bool overlaps(const AddressRange& o) const { return begin < o.end && o.begin < end; }
  bool contains(const AddressRange& o) const { return begin <= o.begin && o.end <= end; }
};

class RegionAllocator {
 public:
  explicit RegionAllocator(std::uint64_t base) : next_(base) {}

  std::uint64_t take(std::uint64_t bytes, std::uint64_t alignment = region_alignment) {
    const std::uint64_t address = align_up(next_, alignment);
    next_ = address + bytes;
    return address;
  }
  std::uint64_t end() const { return align_up(next_); }

 private:
  std::uint64_t next_;
};

}  // namespace abacus::schedule
