#include "models/simd/dispatch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

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

TEST(Dispatch, AWishNamesAnInstructionSetOfThisProcessor) {
  const std::vector<CpuTarget> supported = supported_cpu_targets();
  EXPECT_EQ(chosen_cpu_target("", "variable"), supported.back());
  for (const CpuTarget target : supported) {
    EXPECT_EQ(chosen_cpu_target(to_string(target), "variable"), target);
  }
  try {
    chosen_cpu_target("avx3", "variable");
    ADD_FAILURE() << "not refused";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), ::testing::StartsWith(
                                  "variable: found \"avx3\"; allowed on this processor: portable"));
  }
}

}  // namespace
}  // namespace abacus::models
