// A tile whose taps are each looked up (tap_lookup.hpp).
#pragma once

#include <cstdint>
#include <vector>

#include "models/array/lookups/tap_lookup.hpp"
#include "models/array/tap_tile.hpp"
#include "models/simd/aligned_buffer.hpp"
#include "models/simd/cpu_target.hpp"

namespace abacus::models {

class LookupTile : public TapTile {
 public:
  LookupTile(const TapFormat& format, CpuTarget target);

  OperandLayout layout() const override;
  void load(const WeightShape& shape, const std::uint8_t* packed) override;
  void bound(const WeightShape& shape, const std::uint8_t* packed,
             std::int64_t* bounds) const override;
  void take(const TapGeometry& geometry, int rows, const std::uint8_t* operands) override;
  void accumulate(int first_row, int rows, std::int32_t* accumulators) override;

 private:
  CpuTarget target_;
  TapLookup lookup_;
  WeightShape shape_{0, 0, 0};
  TapGeometry geometry_{};
  LookupColumns columns_;
  std::vector<std::uint8_t> fields_;  // [column][channel][ky][kx]
  AlignedBuffer<std::int32_t> sums_;
};

}  // namespace abacus::models
