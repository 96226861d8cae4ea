#include "models/memory/sram.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace abacus::models {
namespace {

using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;

// 2 banks of 16 bytes: 32 bytes in each cycle of 2.5 ns.
struct SramTest : ::testing::Test {
  hw::SramConfig config{1024, 2, 16, 1};
  Context context{hw::HardwareConfig{}, hw::TimingLevel::approximate};
  Sram sram{"sram", Component::activation_sram, config, context};
  sc_time cycles(double n) const { return context.cycles(n); }
};

TEST_F(SramTest, ServesAloneInTheTimeAsked) {
  EXPECT_EQ(sram.book(SC_ZERO_TIME, cycles(10), 320), cycles(10));
  EXPECT_EQ(sram.book(cycles(10), cycles(10), 64), cycles(20));
}

TEST_F(SramTest, FasterThanTheBanksTakesTheBanksTime) {
  EXPECT_EQ(sram.book(SC_ZERO_TIME, cycles(5), 320), cycles(10));
  EXPECT_EQ(sram.book(cycles(10), SC_ZERO_TIME, 64), cycles(12));
}

TEST_F(SramTest, LaterUserGetsWhatIsLeft) {
  // 24 of 32 bytes a cycle are booked for 10 cycles; 16 a cycle are wanted for 10 cycles: 8 a cycle
  // while the first runs (80 bytes), then 16 a cycle: 5 more cycles.
  EXPECT_EQ(sram.book(SC_ZERO_TIME, cycles(10), 240), cycles(10));
  EXPECT_EQ(sram.book(SC_ZERO_TIME, cycles(10), 160), cycles(15));
  // From 10 on 16 a cycle are left until 15: 32 a cycle wanted, 80 bytes until then, 80 after.
  EXPECT_EQ(sram.book(cycles(10), cycles(5), 160), cycles(17.5));
}

TEST_F(SramTest, WaitsWhereNothingIsLeft) {
  sram.book(SC_ZERO_TIME, cycles(10), 320);
  EXPECT_EQ(sram.book(cycles(4), cycles(1), 32), cycles(11));
}

TEST_F(SramTest, NeverServesMoreThanTheBanksGive) {
  std::mt19937 random(7);
  double bytes = 0;
  sc_time last;
  for (int i = 0; i < 200; ++i) {
    const auto amount = 1 + random() % 500;
    const sc_time start = cycles(static_cast<double>(random() % 50));
    const sc_time duration = cycles(static_cast<double>(random() % 20));
    const sc_time end = sram.book(start, duration, amount);
    EXPECT_GE(end, start + duration);
    bytes += static_cast<double>(amount);
    last = std::max(last, end);
  }
  EXPECT_GE(last.to_seconds() / cycles(1).to_seconds(), bytes / 32);
}

TEST_F(SramTest, CostsNoTimeAtTheFunctionalLevel) {
  context.set_level(hw::TimingLevel::functional);
  EXPECT_EQ(sram.book(cycles(3), cycles(10), 3200), cycles(3));
}

TEST_F(SramTest, CountsStartedPortWidths) {
  sram.count_reads(3, 33);
  sram.count_writes(3, 16);
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
