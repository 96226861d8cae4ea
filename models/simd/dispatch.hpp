// One kernel in its versions for instruction sets: the one way in which models choose among them.
//
//   constexpr Dispatch scale_bytes{scale_portable, ABACUS_ON_X86(scale_avx2)};
//   scale_bytes[target](plan, …);
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include "models/simd/cpu_target.hpp"

// Versions that are compiled for x86-64 alone: null elsewhere.
#if defined(__x86_64__)
#define ABACUS_ON_X86(function) function
#else
#define ABACUS_ON_X86(function) nullptr
#endif

namespace abacus {

template <typename Function>
class Dispatch {
  // Takes no part in deducing Function, so that a version may be nullptr.
  using Version = std::common_type_t<Function*>;

 public:
  // A version that does not exist (nullptr) is the next slower one's work.
  constexpr explicit Dispatch(Function* portable, Version avx2 = nullptr, Version avx512 = nullptr)
      : versions_{portable, avx2 != nullptr ? avx2 : portable,
                  avx512 != nullptr ? avx512
                  : avx2 != nullptr ? avx2
                                    : portable} {}

  // Null only where there is no portable version.
  constexpr Function* operator[](CpuTarget target) const {
    return versions_[static_cast<std::size_t>(target)];
  }

 private:
  std::array<Function*, cpu_target_count> versions_;
};

}  // namespace abacus
