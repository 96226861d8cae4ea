#include "tlm/dataflows/output_stationary.hpp"

#include <algorithm>

#include "tlm/integer_math.hpp"

namespace abacus::hw {
namespace {

int channel_tiles(const PeArrayConfig& array, const ArrayTile& tile) {
  return (tile.channels + array.rows - 1) / array.rows;
}

}  // namespace

int OutputStationary::most_columns(const PeArrayConfig& array, bool depthwise) const {
  return depthwise ? std::min(array.columns, array.rows) : array.columns;
}

// One a row, for all of its lanes.
std::int64_t OutputStationary::activation_registers(const PeArrayConfig& array) const {
  return array.rows;
}

bool OutputStationary::weights_stay(const PeArrayConfig& array, const ArrayTile& tile) const {
  return std::int64_t{tile.kernel} * tile.kernel * channel_tiles(array, tile) <=
         array.weights_per_pe;
}

std::int64_t OutputStationary::issue_cycles(const PeArrayConfig& array,
                                            const ArrayTile& tile) const {
  return tile.positions() * channel_tiles(array, tile);
}

// Tap; a level of the adder tree each; accumulation with scaling.
int OutputStationary::pipeline_depth(const PeArrayConfig& array) const {
  return 1 + ceil_log2(array.rows) + 1;
}

// A channel tile of a pixel in one access, at each window position. Depthwise, the columns' channels
// side by side.
std::vector<OperandAccess> OutputStationary::activation_reads(const PeArrayConfig& array,
                                                              const ArrayTile& tile,
                                                              const InsideWindows& inside) const {
  const int channels = tile.depthwise ? tile.columns : tile.channels;
  const int full = channels / array.rows;
  const int rest = channels % array.rows;
  std::vector<OperandAccess> reads;
  if (full != 0) reads.push_back({array.rows, inside.positions * full});
  if (rest != 0) reads.push_back({rest, inside.positions});
  return reads;
}

// A (ky, kx, channel tile) set of weights serves as many output pixels as a column has accumulators, a cycle
// each: all of them for each such group of pixels.
std::int64_t OutputStationary::weight_passes(const PeArrayConfig& array,
                                             const ArrayTile& tile) const {
  if (weights_stay(array, tile)) return 0;
  const std::int64_t together = outputs_together(array, tile);
  return (tile.pixels() + together - 1) / together;
}

int OutputStationary::outputs_together(const PeArrayConfig& array,
                                       const ArrayTile& /*tile*/) const {
  return array.accumulators;
}

// Pixel by pixel, all columns together.
OperandAccess OutputStationary::output_writes(const PeArrayConfig& /*array*/,
                                              const ArrayTile& tile) const {
  return {tile.columns, tile.pixels()};
}

std::vector<AccumulationStep> OutputStationary::accumulation_order(const PeArrayConfig& array,
                                                                   const ArrayTile& tile) const {
  std::vector<AccumulationStep> steps;
  for (int first = 0; first < tile.channels; first += array.rows) {
    const int channels = std::min(array.rows, tile.channels - first);
    for (int position = 0; position < tile.kernel * tile.kernel; ++position) {
      steps.push_back({position * tile.channels + first, channels});
    }
  }
  return steps;
}

// An activation is latched once a row and serves all columns. A weight waits in its PE's buffer, or
// streams past it through a latch.
ArrayActions OutputStationary::actions(const PeArrayConfig& array, const ArrayTile& tile,
                                       bool filled) const {
  ArrayActions actions;
  actions.taps = tile.taps();
  actions.activation_registers = tile.positions() * (tile.depthwise ? tile.columns : tile.channels);
  const bool stay = weights_stay(array, tile);
  const std::int64_t together = outputs_together(array, tile);
  const std::int64_t uses = (tile.pixels() + together - 1) / together * tile.weights();
  if (stay) actions.weight_buffer_reads = uses;
  // One that serves several outputs waits in front of its lane, then in it.
  actions.weight_registers = together > 1 ? 2 * uses : stay ? 0 : uses;
  if (stay && filled) actions.weight_buffer_writes = tile.weights();
  const std::int64_t sums = tile.positions() * tile.columns;  // a channel tile
  const int full = tile.channels / array.rows;
  const int rest = tile.channels % array.rows;
  if (full != 0) actions.sums.push_back({array.rows, sums * full});
  if (rest != 0) actions.sums.push_back({rest, sums});
  return actions;
}

// A binary tree, a bit wider each level; a value without a partner waits.
std::vector<SumLevel> OutputStationary::sum_levels(int lanes, int tap_bits) const {
  std::vector<SumLevel> levels;
  int bits = tap_bits;
  for (int values = lanes; values > 1; values -= values / 2) {
    levels.push_back({++bits, values / 2, values - values / 2});
  }
  return levels;
}

const Dataflow& output_stationary() {
  static const OutputStationary dataflow;
  return dataflow;
}

}  // namespace abacus::hw
