// What an array computes with one command.
#pragma once

#include <cstdint>

namespace abacus::hw {

struct ArrayTile {
  int output_height;
  int output_width;
  int kernel;
  int channels;            // input, of which each output sums; depthwise: 1
  int columns;             // output channels
  bool depthwise = false;  // each column sees an input channel of its own
  int stride = 1;

  std::int64_t pixels() const { return std::int64_t{output_height} * output_width; }
  std::int64_t outputs() const { return pixels() * columns; }
  // Window positions, padding included.
  std::int64_t positions() const { return pixels() * kernel * kernel; }
  std::int64_t taps() const { return positions() * channels * columns; }
  std::int64_t weights() const { return std::int64_t{kernel} * kernel * channels * columns; }
};

}  // namespace abacus::hw
