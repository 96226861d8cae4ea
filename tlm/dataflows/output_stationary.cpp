// Output stationary with a pipelined adder tree, after the AdderNet authors' FPGA kernel (Wang et al.,
// "AdderNet and its minimalist hardware design for energy-efficient artificial intelligence", arXiv
// 2101.10015): each cycle takes one (ky, kx) position of one tile of `rows` input channels for all
// columns; outputs stay in the accumulators until their sums are whole.
//
// Depthwise, each column works on a row of its own, in one lane; the others of its column stand still.
#include <algorithm>

#include "tlm/dataflow.hpp"
#include "tlm/integer_math.hpp"

namespace abacus::hw {
namespace {

class OutputStationary : public Dataflow {
 public:
  std::string_view name() const override { return "output-stationary"; }

  int most_columns(const PeArrayConfig& array, bool depthwise) const override {
    return depthwise ? std::min(array.columns, array.rows) : array.columns;
  }

  bool weights_stay(const PeArrayConfig& array, const ArrayTile& tile) const override {
    return std::int64_t{tile.kernel} * tile.kernel * channel_tiles(array, tile) <=
           array.weights_per_pe;
  }

  std::int64_t issue_cycles(const PeArrayConfig& array, const ArrayTile& tile) const override {
    return tile.positions() * channel_tiles(array, tile);
  }

  // Tap; a level of the adder tree each; accumulation with scaling.
  int pipeline_depth(const PeArrayConfig& array) const override {
    return 1 + ceil_log2(array.rows) + 1;
  }

  // A channel tile of a pixel in one access, at each window position. Depthwise, the columns' channels
  // side by side.
  std::vector<OperandAccess> activation_reads(const PeArrayConfig& array, const ArrayTile& tile,
                                              std::int64_t inside) const override {
    const int channels = tile.depthwise ? tile.columns : tile.channels;
    const int full = channels / array.rows;
    const int rest = channels % array.rows;
    std::vector<OperandAccess> reads;
    if (full != 0) reads.push_back({array.rows, inside * full});
    if (rest != 0) reads.push_back({rest, inside});
    return reads;
  }

  // A (ky, kx, channel tile) set of weights a cycle: all of them for each output pixel.
  std::int64_t weight_passes(const PeArrayConfig& array, const ArrayTile& tile) const override {
    return weights_stay(array, tile) ? 0 : tile.pixels();
  }

  // Pixel by pixel, all columns together.
  OperandAccess output_writes(const PeArrayConfig& /*array*/,
                              const ArrayTile& tile) const override {
    return {tile.columns, tile.pixels()};
  }

  std::vector<AccumulationStep> accumulation_order(const PeArrayConfig& array,
                                                   const ArrayTile& tile) const override {
    std::vector<AccumulationStep> steps;
    for (int first = 0; first < tile.channels; first += array.rows) {
      const int channels = std::min(array.rows, tile.channels - first);
      for (int ky = 0; ky < tile.kernel; ++ky) {
        for (int kx = 0; kx < tile.kernel; ++kx) steps.push_back({first, channels, ky, kx});
      }
    }
    return steps;
  }

  // An activation is latched once a row and serves all columns. A weight waits in its PE's buffer, or
  // streams past it through a latch.
  ArrayActions actions(const PeArrayConfig& array, const ArrayTile& tile,
                       bool filled) const override {
    ArrayActions actions;
    actions.taps = tile.taps();
    actions.activation_registers =
        tile.positions() * (tile.depthwise ? tile.columns : tile.channels);
    const bool stay = weights_stay(array, tile);
    (stay ? actions.weight_buffer_reads : actions.weight_registers) = tile.taps();
    if (stay && filled) actions.weight_buffer_writes = tile.weights();
    const std::int64_t sums = tile.positions() * tile.columns;  // a channel tile
    const int full = tile.channels / array.rows;
    const int rest = tile.channels % array.rows;
    if (full != 0) actions.sums.push_back({array.rows, sums * full});
    if (rest != 0) actions.sums.push_back({rest, sums});
    return actions;
  }

  // A binary tree, a bit wider each level; a value without a partner waits.
  std::vector<SumLevel> sum_levels(int lanes, int tap_bits) const override {
    std::vector<SumLevel> levels;
    int bits = tap_bits;
    for (int values = lanes; values > 1; values -= values / 2) {
      levels.push_back({++bits, values / 2, values - values / 2});
    }
    return levels;
  }

 private:
  static int channel_tiles(const PeArrayConfig& array, const ArrayTile& tile) {
    return (tile.channels + array.rows - 1) / array.rows;
  }
};

}  // namespace

const Dataflow& output_stationary() {
  static const OutputStationary dataflow;
  return dataflow;
}

}  // namespace abacus::hw
