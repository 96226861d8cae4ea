#include "models/post_lut/post_lut.hpp"

#include <algorithm>
#include <stdexcept>

namespace abacus::models {

PostLut::PostLut(const hw::PostTableConfig& config, const std::string& name) : config_(config) {
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

PostLutDemand PostLut::demand(const TableReads& tile,
                              const std::vector<hw::AccumulationStep>& order) const {
  PostLutDemand demand;
  for (const hw::AccumulationStep& step : order) {
    const int end = step.first_tap + step.taps;
    int longest = 1;
    for (int column = 0; column < tile.columns; ++column) {
      const std::uint8_t* taps = tile.reads.data() + static_cast<std::size_t>(column) *
                                                         tile.kernel * tile.kernel * tile.channels;
      for (int group = step.first_tap; group < end; group += config_.lanes) {
        int odd = 0;
        for (int tap = group; tap < std::min(group + config_.lanes, end); ++tap) odd += taps[tap];
        demand.reads += odd;
        longest = std::max(longest, (odd + config_.ports - 1) / config_.ports);
      }
    }
    demand.waiting_cycles += longest - 1;
  }
  return demand;
}

}  // namespace abacus::models
