#include "sw/kernels/instruction_set.hpp"

#include <hwy/targets.h>

namespace abacus::kernels {

std::string instruction_set() {
  // A bit a set, the best one lowest.
  const std::int64_t sets = hwy::SupportedTargets();
  return hwy::TargetName(sets & -sets);
}

}  // namespace abacus::kernels
