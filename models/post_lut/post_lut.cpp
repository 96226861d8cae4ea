#include "models/post_lut/post_lut.hpp"

#include <algorithm>
#include <stdexcept>

namespace abacus {

PostLut::PostLut(const PostTableConfig& config, const std::string& name) : config_(config) {
  const auto require = [&](const char* field, int found, int low, int high) {
    if (found >= low && found <= high) return;
    throw std::invalid_argument(name + ": table." + field + " is " + std::to_string(found) +
                                "; allowed: " + std::to_string(low) + " to " +
                                std::to_string(high));
  };
  require("exponents", config.exponents, 1, 64);
  require("fraction_bits", config.fraction_bits, 2, 8);
  require("ports", config.ports, 1, 256);
  require("lanes", config.lanes, 1, 256);
}

PostLutDemand PostLut::demand(const TableReads& tile, int array_rows) const {
  PostLutDemand demand;
  for (int first = 0; first < tile.channels; first += array_rows) {
    const int end = std::min(first + array_rows, tile.channels);
    std::int64_t reads = 0;
    for (int tap = 0; tap < tile.taps; ++tap) {
      int longest = 1;
      for (int column = 0; column < tile.columns; ++column) {
        const std::uint8_t* channels =
            tile.reads.data() +
            (static_cast<std::size_t>(column) * tile.taps + tap) * tile.channels;
        for (int group = first; group < end; group += config_.lanes) {
          int odd = 0;
          for (int channel = group; channel < std::min(group + config_.lanes, end); ++channel) {
            odd += channels[channel];
          }
          reads += odd;
          longest = std::max(longest, (odd + config_.ports - 1) / config_.ports);
        }
      }
      demand.waiting_cycles += longest - 1;
    }
    demand.reads.push_back(reads);
  }
  return demand;
}

}  // namespace abacus
