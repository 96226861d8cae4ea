// Timing of the output-stationary dataflow with a pipelined adder tree, after the AdderNet authors'
// FPGA kernel (Wang et al., "AdderNet and its minimalist hardware design for energy-efficient
// artificial intelligence", arXiv 2101.10015): each cycle takes one (ky, kx) position of one tile
// of `rows` input channels for all columns; outputs stay in the accumulators until their sums are
// whole.
//
// Other dataflows stand beside this file with the same three questions answered.
#pragma once

#include <cstdint>

#include "tlm/integer_math.hpp"

namespace abacus {

// What an array computes with one command.
struct ArrayTile {
  int output_height;
  int output_width;
  int kernel;
  int channels;            // input, of which each output sums; depthwise: 1
  int columns;             // output channels
  bool depthwise = false;  // each column on a row of its own, one lane of it at work

  std::int64_t outputs() const { return std::int64_t{output_height} * output_width * columns; }
  // Window positions, padding included.
  std::int64_t positions() const {
    return std::int64_t{output_height} * output_width * kernel * kernel;
  }
  std::int64_t taps() const { return positions() * channels * columns; }
};

namespace output_stationary {

inline int channel_tiles(int channels, int rows) { return (channels + rows - 1) / rows; }

inline std::int64_t issue_cycles(const ArrayTile& tile, int rows) {
  return tile.positions() * channel_tiles(tile.channels, rows);
}

// Tap; a level of the adder tree each; accumulation with scaling.
inline int pipeline_depth(int rows) { return 1 + ceil_log2(rows) + 1; }

// True if every PE can keep the weights that it needs for the whole tile.
inline bool weights_stay(const ArrayTile& tile, int rows, int weights_per_pe) {
  return std::int64_t{tile.kernel} * tile.kernel * channel_tiles(tile.channels, rows) <=
         weights_per_pe;
}

}  // namespace output_stationary
}  // namespace abacus
