#include "models/simd/cpu_target.hpp"

#include <cstdlib>
#include <stdexcept>

namespace abacus::models {

std::string to_string(CpuTarget target) {
  switch (target) {
    case CpuTarget::portable:
      return "portable";
    case CpuTarget::avx2:
      return "avx2";
    case CpuTarget::avx512:
      return "avx512";
  }
  return "unknown";
}

std::vector<CpuTarget> supported_cpu_targets() {
  std::vector<CpuTarget> targets{CpuTarget::portable};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
    targets.push_back(CpuTarget::avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni")) {
      targets.push_back(CpuTarget::avx512);
    }
  }
#endif
  return targets;
}

CpuTarget chosen_cpu_target(const std::string& wish, const std::string& source) {
  const std::vector<CpuTarget> supported = supported_cpu_targets();
  if (wish.empty()) return supported.back();
  std::string allowed;
  for (const CpuTarget target : supported) {
    if (wish == to_string(target)) return target;
    if (!allowed.empty()) allowed += ", ";
    allowed += to_string(target);
  }
  throw std::runtime_error(source + ": found \"" + wish +
                           "\"; allowed on this processor: " + allowed);
}

CpuTarget best_cpu_target() {
  static const CpuTarget best = [] {
    const char* variable = "ABACUS_INSTRUCTION_SET";
    const char* wish = std::getenv(variable);
    return chosen_cpu_target(wish == nullptr ? "" : wish, variable);
  }();
  return best;
}

}  // namespace abacus::models
