// Taps that an array with zero gating (PeArrayConfig::zero_gating) does not compute: one of their operands is
// 0, so their result is 0 whatever the other one is. Counted from the operands of a tile.
#pragma once

#include <cstdint>
#include <vector>

#include "models/array/kernels.hpp"
#include "models/array/operand_layout.hpp"
#include "models/elements/processing_element.hpp"
#include "models/elements/tap_format.hpp"
#include "tlm/array_tile.hpp"

namespace abacus::models {

class ZeroGating {
 public:
  struct Gated {
    std::int64_t taps = 0;
    std::int64_t table_reads = 0;  // of them, that would have read a lookup table
  };

  // Takes a tile's weights; `packed` as ConvolveFields says.
  void load(const ProcessingElement& element, const TapFormat& format, const hw::ArrayTile& tile,
            const std::uint8_t* packed);
  // Of all output pixels of the loaded weights' tile. `operands`: as the layout says.
  Gated count(const hw::ArrayTile& tile, const void* operands, const OperandLayout& layout,
              const TapGeometry& geometry) const;

 private:
  // Columns whose weight is 0, or whose tap is read from a table, by position of the window and channel;
  // depthwise by position and column.
  std::vector<int> zero_weights_;
  std::vector<int> read_weights_;
};

}  // namespace abacus::models
