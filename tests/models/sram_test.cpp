#include "models/memory/sram.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace abacus::models {
namespace {

using sc_core::sc_time;

// 2 banks of 16 bytes: 32 bytes in each cycle of 2.5 ns.
struct SramTest : ::testing::Test {
  hw::SramConfig config{1024, 2, 16, 1};
  Context context{hw::HardwareConfig{}, hw::TimingLevel::approximate};
  Sram sram{"sram", Component::activation_sram, config, context};
  sc_time cycles(double n) const { return context.cycles(n); }
};

// A port's access a cycle and bank; what bursts and streams cost one another is sram_ports_test's.
TEST_F(SramTest, GivesEachBankAnAccessACycle) {
  EXPECT_EQ(Sram::Stream(sram, 20).served(), cycles(10));
  EXPECT_EQ(Sram::Stream(sram, 21).served(), cycles(11));
  EXPECT_EQ(sram.burst(4), cycles(4));
  Sram::Stream stream(sram, 20);
  EXPECT_EQ(stream.served(), cycles(12));
  EXPECT_EQ(sram.burst(4), cycles(4));
  EXPECT_EQ(stream.served(), cycles(14));
}

TEST_F(SramTest, AccessesAreStartedPortWidths) {
  EXPECT_EQ(sram.accesses(0), 0);
  EXPECT_EQ(sram.accesses(1), 1);
  EXPECT_EQ(sram.accesses(16), 1);
  EXPECT_EQ(sram.accesses(17), 2);
}

TEST_F(SramTest, CountsAccesses) {
  sram.count_reads(3, 3);
  sram.count_writes(3, 1);
  sram.count_writes(4, 0);
  const auto& counts = context.activity.counts();
  ASSERT_EQ(counts.size(), 2u);
  EXPECT_EQ(counts.at({3, Component::activation_sram, Action::sram_read, 128, 0}), 3);
  EXPECT_EQ(counts.at({3, Component::activation_sram, Action::sram_write, 128, 0}), 1);
}

TEST_F(SramTest, FlipsTheBitAfterTheWriteAsked) {
  sram.flip_bit_after_write(5, 7, 1);
  sram.wrote(0, 6);  // the write before
  EXPECT_EQ(sram.data()[5], 0);
  sram.wrote(6, 10);  // does not cover
  EXPECT_EQ(sram.data()[5], 0);
  sram.wrote(5, 1);
  EXPECT_EQ(sram.data()[5], 0x80);
  sram.wrote(5, 1);  // once only
  EXPECT_EQ(sram.data()[5], 0x80);
}

TEST_F(SramTest, RefusesFaultsOutsideTheMemory) {
  EXPECT_THROW(sram.flip_bit_after_write(1024, 0, 0), std::invalid_argument);
  EXPECT_THROW(sram.flip_bit_after_write(0, 8, 0), std::invalid_argument);
  EXPECT_THROW(sram.flip_bit_after_write(0, 0, -1), std::invalid_argument);
}

TEST(Sram, RefusesAnEmptyMemory) {
  Context context{hw::HardwareConfig{}, hw::TimingLevel::approximate};
  EXPECT_THROW(Sram("sram", Component::weight_sram, hw::SramConfig{0, 1, 1, 0}, context),
               std::invalid_argument);
}

}  // namespace
}  // namespace abacus::models
