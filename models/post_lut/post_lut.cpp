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

PostLutDemand PostLut::demand(const TapFormat& format, const WeightShape& shape,
                              const std::uint8_t* packed, int array_rows) const {
  std::vector<std::int16_t> codes(static_cast<std::size_t>(shape.columns) * shape.taps *
                                  shape.channels);
  unpack_plain(format, shape, packed, codes.data());
  PostLutDemand demand;
  for (int first = 0; first < shape.channels; first += array_rows) {
    const int end = std::min(first + array_rows, shape.channels);
    std::int64_t reads = 0;
    for (int tap = 0; tap < shape.taps; ++tap) {
      int longest = 1;
      for (int column = 0; column < shape.columns; ++column) {
        const std::int16_t* weights =
            codes.data() + (static_cast<std::size_t>(column) * shape.taps + tap) * shape.channels;
        for (int group = first; group < end; group += config_.lanes) {
          int odd = 0;
          for (int channel = group; channel < std::min(group + config_.lanes, end); ++channel) {
            odd += format.reads_table(weights[channel]) ? 1 : 0;
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
