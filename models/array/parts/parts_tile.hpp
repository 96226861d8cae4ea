// A tile whose taps are summed in parts (tap_parts.hpp): first the digits, by the kernels of products,
// then the passes of looked-up bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/array/kernels.hpp"
#include "models/array/parts/pass_kernels.hpp"
#include "models/array/parts/tap_parts.hpp"
#include "models/array/tap_tile.hpp"
#include "models/simd/aligned_buffer.hpp"
#include "models/simd/cpu_target.hpp"

namespace abacus::models {

class PartsTile : public TapTile {
 public:
  // Null where looking up every tap is faster: taps that fall into no parts, or into too many.
  static std::unique_ptr<PartsTile> make(const TapFormat& format, CpuTarget target);

  OperandLayout layout() const override;
  void load(const WeightShape& shape, const std::uint8_t* packed) override;
  void bound(const WeightShape& shape, const std::uint8_t* packed,
             std::int64_t* bounds) const override;
  void take(const TapGeometry& geometry, int rows, const std::uint8_t* operands) override;
  void accumulate(int first_row, int rows, std::int32_t* accumulators) override;

 private:
  PartsTile(const TapFormat& format, CpuTarget target, TapParts parts);
  struct Digit {
    TapPlan plan;
    int shift;
    AlignedBuffer<std::uint8_t> blocks;
    AlignedBuffer<std::int32_t> corrections;
  };
  struct Pass {
    const TapParts::Pass* part;
    const TapParts::Digit* digit;  // that is summed beside it, or null
    AlignedBuffer<std::uint8_t> blocks;
    // Groups of channels whose bytes are looked up and added up at a time.
    int groups = 0;
    // Of each strip of output positions and each such groups, as many operand rows as the kernel has;
    // row r stands at place r mod kernel.
    AlignedBuffer<std::uint8_t> looked_up;
    std::vector<int> held;  // which row stands at a place, −1 none
  };
  void sum_constants(const WeightShape& shape, const std::uint8_t* packed);
  void add_pass(Pass& pass, int first_row, int rows, int kept_shift, std::int32_t* accumulators);
  // Fills rows_ for the window of an output row.
  void look_up_rows(Pass& pass, int output_row, int strip, const PassPart& part);
  std::size_t operand_at(int row, int position, int group) const;
  std::size_t window_bytes(const Pass& pass) const;
  int parts(const Pass& pass) const;
  int strips() const;
  // First output position of a strip.
  int strip_begin(int strip) const { return geometry_.output_width * strip / strips(); }

  CpuTarget target_;
  TapParts parts_;
  std::size_t operand_bytes_;
  std::vector<Digit> digits_;
  std::vector<Pass> passes_;
  std::vector<std::int32_t> constants_;    // by column
  std::vector<const std::uint8_t*> rows_;  // of a window
  TapGeometry geometry_{};
  const std::uint8_t* operands_ = nullptr;
  AlignedBuffer<std::int32_t> lower_digit_;
};

}  // namespace abacus::models
