// The instruction sets of the simulating machine for which the kernels are written. All give the
// same bits; the fastest one that the processor has is chosen when the program runs.
#pragma once

#include <string>
#include <vector>

namespace abacus::models {

enum class CpuTarget {
  portable,  // plain C++
  avx2,      // AVX2, BMI2
  avx512     // AVX-512 F, BW, DQ, VL, VBMI, VNNI (Intel Ice Lake, AMD Zen 4 and later)
};
constexpr int cpu_target_count = 3;

std::string to_string(CpuTarget target);

// Those that this processor can run, slowest first; `portable` is always among them.
std::vector<CpuTarget> supported_cpu_targets();

// The fastest of them where `wish` is empty, else the one of that name. Throws std::runtime_error
// naming `source`, what was found and what this processor can run.
CpuTarget chosen_cpu_target(const std::string& wish, const std::string& source);

// As the environment's ABACUS_INSTRUCTION_SET says, which is read once; the fastest where it is not
// set. For tests on one processor of what others run, and for comparisons of speed.
CpuTarget best_cpu_target();

}  // namespace abacus::models
