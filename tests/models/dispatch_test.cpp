#include "models/simd/dispatch.hpp"

#include <gtest/gtest.h>

namespace abacus::models {
namespace {

int plain() { return 1; }
int half() { return 2; }
int full() { return 3; }

TEST(Dispatch, AMissingVersionIsTheNextSlowerOnesWork) {
  constexpr Dispatch portable{plain};
  constexpr Dispatch to_avx2{plain, half};
  constexpr Dispatch no_avx2{plain, nullptr, full};
  constexpr Dispatch all{plain, half, full};
  EXPECT_EQ(portable[CpuTarget::portable](), 1);
  EXPECT_EQ(portable[CpuTarget::avx512](), 1);
  EXPECT_EQ(to_avx2[CpuTarget::portable](), 1);
  EXPECT_EQ(to_avx2[CpuTarget::avx512](), 2);
  EXPECT_EQ(no_avx2[CpuTarget::avx2](), 1);
  EXPECT_EQ(no_avx2[CpuTarget::avx512](), 3);
  EXPECT_EQ(all[CpuTarget::avx2](), 2);
  EXPECT_EQ(all[CpuTarget::avx512](), 3);
}

TEST(Dispatch, ANullVersionSaysThatThereIsNone) {
  constexpr Dispatch<int()> fastest_alone{nullptr, nullptr, full};
  EXPECT_EQ(fastest_alone[CpuTarget::portable], nullptr);
  EXPECT_EQ(fastest_alone[CpuTarget::avx2], nullptr);
  EXPECT_EQ(fastest_alone[CpuTarget::avx512], full);
}

}  // namespace
}  // namespace abacus::models
