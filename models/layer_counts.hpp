// Counts of one action, kept by layer in an array: for models that count with every burst, where a
// look-up in Activity each time would be felt. Hands over to Activity when Context::settle() is
// called (at the end of a program and of each access of the host).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/context.hpp"

namespace abacus::models {

class LayerCounts {
 public:
  LayerCounts(Component component, Action action, int bits)
      : component_(component), action_(action), bits_(bits) {}

  void add(int layer, std::int64_t times) {
    const auto index = static_cast<std::size_t>(layer + 1);
    if (index >= counts_.size()) counts_.resize(index + 1);
    counts_[index] += times;
  }
  void hand_over(Activity& activity) {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] == 0) continue;
      activity.count(static_cast<int>(i) - 1, component_, action_, counts_[i], bits_);
      counts_[i] = 0;
    }
  }

 private:
  Component component_;
  Action action_;
  int bits_;
  std::vector<std::int64_t> counts_;
};

}  // namespace abacus::models
