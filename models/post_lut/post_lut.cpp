#include "models/post_lut/post_lut.hpp"

#include <algorithm>
#include <stdexcept>

namespace abacus {

int post_lut_entry(int magnitude, int index, int fraction_bits) {
  // entry² is magnitude² · 2^(2·fraction_bits − n), so that no root is needed: the nearest integer t
  // is the largest one with (2t − 1)² · 2^n ≤ magnitude² · 2^(2·fraction_bits + 2).
  const int n = 2 * index + 1;
  const std::int64_t square = (std::int64_t{magnitude} * magnitude) << (2 * fraction_bits + 2);
  if (n > 62 || square >> n == 0) return 0;  // below a half
  std::int64_t below = 0;
  std::int64_t above = (std::int64_t{magnitude} << fraction_bits) + 1;
  while (above - below > 1) {
    const std::int64_t t = (below + above) / 2;
    const std::int64_t odd = 2 * t - 1;
    (odd * odd <= square >> n ? below : above) = t;
  }
  return static_cast<int>(below);
}

PostLut::PostLut(const PostTableConfig& config, int activation_bits, const std::string& name)
    : config_(config), activation_bits_(activation_bits) {
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
