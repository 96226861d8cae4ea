// Random cases of a test: all of them, or the first part where ABACUS_SAMPLE_PERCENT asks for less, as the
// sanitizers' preset does (CMakePresets.json).
#pragma once

#include <algorithm>

#include "tests/support/number_from_environment.hpp"

namespace abacus::test {

// Of so many cases, at least one. Throws std::invalid_argument as number_from_environment() does.
inline int sampled(int cases) {
  return std::max(
      1, cases * std::min(100, number_from_environment("ABACUS_SAMPLE_PERCENT", 100)) / 100);
}

}  // namespace abacus::test
