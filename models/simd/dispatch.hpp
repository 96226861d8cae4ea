// One kernel in its versions for instruction sets: the one way in which models choose among them.
//
//   constexpr Dispatch scale_bytes{scale_portable, ABACUS_ON_X86(scale_avx2)};
//   scale_bytes[target](plan, …);
#pragma once

#include <array>
#include <cstddef>

#include "models/simd/cpu_target.hpp"

// Versions that are compiled for x86-64 alone: null elsewhere.
#if defined(__x86_64__)
#define ABACUS_ON_X86(function) function
#else
#define ABACUS_ON_X86(function) nullptr
#endif

namespace abacus::models {

template <typename Function>
class Dispatch {
 public:
  // A version that does not exist (nullptr) is the next slower one's work.
  template <typename Avx2 = std::nullptr_t, typename Avx512 = std::nullptr_t>
  constexpr explicit Dispatch(Function* portable, Avx2 avx2 = nullptr, Avx512 avx512 = nullptr)
      : versions_{portable, either(avx2, portable), either(avx512, either(avx2, portable))} {}

  // Null only where there is no portable version.
  constexpr Function* operator[](CpuTarget target) const {
    return versions_[static_cast<std::size_t>(target)];
  }

 private:
  // By type: under the sanitizers GCC 12 compares no function with nullptr in a constant expression
  // (GCC bug 71962).
  static constexpr Function* either(Function* version, Function*) { return version; }
  static constexpr Function* either(std::nullptr_t, Function* slower) { return slower; }

  std::array<Function*, cpu_target_count> versions_;
};

}  // namespace abacus::models
