// Lookup table of the `post` processing element: |a|·2^(−n/2) for odd n, which no shift gives
// (POST: power of square root of two; "Precision Neural Network Quantization via Learnable Adaptive
// Modules", section 3.3.1, eq. 18: LUT[r][(n − 1)/2]; 3-bit operands take a table of 8 × 4).
//
// | property      | unit    | where it is set                                                        |
// | ------------- | ------- | ---------------------------------------------------------------------- |
// | rows          | entries | magnitudes |a|: 2^activation_bits of the layer, at most of the array    |
// | exponents     | columns | PostTableConfig: odd n = 1, 3, … 2·exponents − 1                       |
// | fraction_bits | bits    | PostTableConfig, 2 to 8: widest fraction of an entry                   |
// | word          | bits    | of a layer: activation_bits + fraction_bits                            |
// | ports         | reads   | PostTableConfig: a cycle                                               |
// | lanes         | lanes   | PostTableConfig: neighbouring rows of a column that share one table    |
//
// Function: entry(|a|, i) = |a|·2^(−(2i + 1)/2) in units of 2^−fraction_bits, the nearest integer (no
// entry but |a| = 0 is one, and none lies half way between two).
// Time: a read is part of the tap's pipeline stage. The lanes of a table that have an odd n in the
// same cycle share its ports; where they are more than the ports, the whole array waits. How many they
// are depends on the weights alone, so the wait is the same for every image.
// Actions: a table read each (word × entries), at the layer's own widths, as every tap is counted: a
// 4-bit layer reads a table of 16 rows, whatever operands the lanes have room for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tlm/dataflow.hpp"
#include "tlm/hardware_config.hpp"

namespace abacus::models {

// Which of a tile's weights have their taps from the tables.
struct TableReads {
  int columns;
  int kernel;
  int channels;
  std::vector<std::uint8_t> reads;  // [column][ky][kx][channel]: 1 where it has
};

// What a tile's weights ask of the tables.
struct PostLutDemand {
  // At one output position.
  std::int64_t reads = 0;
  std::int64_t waiting_cycles = 0;  // of the array
};

class PostLut {
 public:
  // Throws std::invalid_argument naming `name` and the field.
  PostLut(const hw::PostTableConfig& config, const std::string& name);

  int entries(int activation_bits) const { return (1 << activation_bits) * config_.exponents; }
  static int word_bits(int activation_bits, int fraction_bits) {
    return activation_bits + fraction_bits;
  }
  const hw::PostTableConfig& config() const { return config_; }

  // order: the array's, a cycle each at an output position.
  PostLutDemand demand(const TableReads& tile,
                       const std::vector<hw::AccumulationStep>& order) const;

 private:
  hw::PostTableConfig config_;
};

}  // namespace abacus::models
