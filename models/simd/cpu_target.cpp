#include "models/simd/cpu_target.hpp"

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

CpuTarget best_cpu_target() {
  static const CpuTarget best = supported_cpu_targets().back();
  return best;
}

}  // namespace abacus::models
