// Times against sums of data-sheet values (MT41K128M16-125, the defaults), worked out by hand.
#include "models/memory/dram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "models/memory/dram_timing.hpp"

namespace abacus::models {
namespace {

DramTiming::Time ns(double t) { return static_cast<DramTiming::Time>(std::llround(t * 1e3)); }

constexpr std::uint64_t page = 2048;     // next page: next bank
constexpr std::uint64_t row = 8 * page;  // same bank, next row

struct DramTimingTest : ::testing::Test {
  DramTiming dram{hw::DramConfig{}};
};

TEST_F(DramTimingTest, MissActivatesThenReads) {
  // tRCD 13.75 + tCL 13.75 + 4 bursts × 4 tCK (5 ns).
  const auto service = dram.access(ns(0), 0, 64, false);
  EXPECT_EQ(service.completed, ns(13.75 + 13.75 + 20));
  EXPECT_EQ(service.bursts, 4);
  EXPECT_EQ(service.activates, 1);
  EXPECT_EQ(service.conflicts, 0);
}

TEST_F(DramTimingTest, StandbyIsActiveFromTheFirstRowOpened) {
  dram.access(ns(100), 0, 64, false);
  const DramTiming::Residency spent = dram.residency(ns(1000));
  EXPECT_EQ(spent.precharged, ns(100));
  EXPECT_EQ(spent.active, ns(900));
  EXPECT_EQ(spent.refreshing, ns(0));
  EXPECT_EQ(spent.refreshes, 0);
}

TEST_F(DramTimingTest, ARefreshClosesAllRowsAndOnesThatNobodyMetCountToo) {
  dram.access(ns(100), 0, 64, false);
  // Due at 7,800: closed there; refreshes at 7,800, 15,600 and 23,400 until 160 ns later.
  const DramTiming::Residency idle = dram.residency(ns(25000));
  EXPECT_EQ(idle.refreshes, 3);
  EXPECT_EQ(idle.refreshing, ns(3 * 160));
  EXPECT_EQ(idle.active, ns(7700));
  EXPECT_EQ(idle.precharged, ns(100 + 2 * (7800 - 160) + 25000 - 23560));
  // In the middle of one.
  const DramTiming::Residency middle = dram.residency(ns(7900));
  EXPECT_EQ(middle.refreshing, ns(100));
  // A request that meets the third finds the row closed for it, tRP before; ACTIVATE when it ends.
  dram.access(ns(23450), 0, 64, false);
  const DramTiming::Residency met = dram.residency(ns(24000));
  EXPECT_EQ(met.refreshes, 3);
  EXPECT_EQ(met.active, ns(7700 + 24000 - 23573.75));
}

TEST_F(DramTimingTest, StatesAddUpToTheTimeSinceTheLastRestart) {
  std::uint32_t random = 1;
  for (int program = 0; program < 3; ++program) {
    const double begin = 1e6 * program;
    dram.restart(ns(begin));
    double now = begin;
    for (int i = 0; i < 200; ++i) {
      random = random * 1664525u + 1013904223u;
      now += random % 1000 * 1.25;
      const auto served = dram.access(ns(now), random % (1u << 24) / 64 * 64, 64, random % 2 == 0);
      now = std::max(now, static_cast<double>(served.completed) / 1e3);
      const DramTiming::Residency spent = dram.residency(ns(now));
      EXPECT_EQ(spent.active + spent.precharged + spent.refreshing, ns(now) - ns(begin));
      EXPECT_EQ(spent.refreshes, static_cast<std::int64_t>((now - begin) / 7800));
    }
  }
}

TEST_F(DramTimingTest, HitReadsAtOnce) {
  dram.access(ns(0), 0, 64, false);
  const auto service = dram.access(ns(100), 64, 16, false);
  EXPECT_EQ(service.completed, ns(100 + 13.75 + 5));
  EXPECT_EQ(service.activates, 0);
}

TEST_F(DramTimingTest, ConflictPrechargesFirst) {
  dram.access(ns(0), 0, 16, false);
  // At 200 ns tRAS and tRTP are over: tRP + tRCD + tCL + 1 burst.
  const auto service = dram.access(ns(200), row, 16, false);
  EXPECT_EQ(service.completed, ns(200 + 13.75 + 13.75 + 13.75 + 5));
  EXPECT_EQ(service.conflicts, 1);
}

TEST_F(DramTimingTest, PrechargeWaitsForTRas) {
  dram.access(ns(0), 0, 16, false);
  // ACTIVATE at 0; PRECHARGE at tRAS = 35 (READ at 13.75 + tRTP = 21.25 is sooner).
  EXPECT_EQ(dram.access(ns(0), row, 16, false).completed, ns(35 + 13.75 + 13.75 + 13.75 + 5));
}

TEST_F(DramTimingTest, PrechargeWaitsForTRtp) {
  // 16 bursts: READs at 13.75, 18.75 … 88.75; PRECHARGE at 88.75 + 7.5.
  dram.access(ns(0), 0, 256, false);
  EXPECT_EQ(dram.access(ns(0), row, 16, false).completed,
            ns(88.75 + 7.5 + 13.75 + 13.75 + 13.75 + 5));
}

TEST_F(DramTimingTest, WriteUsesWriteLatencyAndRecovers) {
  // tRCD + tCWL + burst; PRECHARGE tWR after the data.
  const auto write = dram.access(ns(0), 0, 16, true);
  EXPECT_EQ(write.completed, ns(13.75 + 10 + 5));
  EXPECT_EQ(dram.access(ns(0), row, 16, false).completed,
            ns(28.75 + 15 + 13.75 + 13.75 + 13.75 + 5));
}

TEST_F(DramTimingTest, ReadAfterWriteWaitsTWtr) {
  dram.access(ns(0), 0, 16, true);  // data until 28.75
  EXPECT_EQ(dram.access(ns(0), 16, 16, false).completed, ns(28.75 + 7.5 + 13.75 + 5));
}

TEST_F(DramTimingTest, WriteAfterReadTurnsTheBusAround) {
  dram.access(ns(0), 0, 16, false);  // data until 32.5
  EXPECT_EQ(dram.access(ns(0), 16, 16, true).completed, ns(32.5 + 2 * 1.25 + 5));
}

TEST_F(DramTimingTest, BanksOverlap) {
  // Activations of both banks together; data one after the other.
  dram.access(ns(0), 0, 64, false);  // data 27.5 … 47.5
  EXPECT_EQ(dram.access(ns(0), page, 64, false).completed, ns(47.5 + 20));
}

TEST_F(DramTimingTest, RowHitsStreamWithoutGaps) {
  for (std::uint64_t i = 0; i < 32; ++i) {
    EXPECT_EQ(dram.access(ns(0), i * 64, 64, false).completed,
              ns(27.5 + 20 * static_cast<double>(i + 1)));
  }
}

TEST_F(DramTimingTest, CrossingAPageOpensTheNextBank) {
  const auto service = dram.access(ns(0), page - 16, 32, false);
  EXPECT_EQ(service.activates, 2);
  EXPECT_EQ(service.bursts, 2);
  EXPECT_EQ(service.completed, ns(27.5 + 10));
}

TEST_F(DramTimingTest, UnalignedBytesTakeAllBurstsTheyTouch) {
  EXPECT_EQ(dram.access(ns(0), 15, 2, false).bursts, 2);
}

TEST_F(DramTimingTest, CommandsGoAtClockEdges) {
  dram.access(ns(0), 0, 16, false);
  // 100.5 ns: next edge 101.25.
  EXPECT_EQ(dram.access(ns(100.5), 16, 16, false).completed, ns(101.25 + 13.75 + 5));
}

TEST_F(DramTimingTest, RefreshClosesRowsAndHoldsRequests) {
  dram.access(ns(7700), 0, 16, false);
  // Due at 7800: PRECHARGE at once (tRAS over at 7735), tRP, tRFC, then a miss.
  const auto service = dram.access(ns(7800), 0, 16, false);
  EXPECT_EQ(service.completed, ns(7800 + 13.75 + 160 + 13.75 + 13.75 + 5));
  EXPECT_EQ(service.activates, 1);
  EXPECT_EQ(service.conflicts, 0);
  EXPECT_EQ(dram.refreshes(), 1);
}

TEST_F(DramTimingTest, RefreshesWhileIdleOnlyCloseRows) {
  dram.access(ns(0), 0, 16, false);
  const auto service = dram.access(ns(100'000), 0, 16, false);
  EXPECT_EQ(service.completed, ns(100'000 + 13.75 + 13.75 + 5));
  EXPECT_EQ(service.activates, 1);
  // 12 · 7800 = 93600 is the last before; the next comes at 101400.
  EXPECT_EQ(dram.access(ns(101'400), 0, 16, false).completed,
            ns(101'400 + 13.75 + 160 + 13.75 + 13.75 + 5));
}

TEST_F(DramTimingTest, RestartForgetsThePast) {
  dram.access(ns(7700.4), 0, 256, true);
  dram.restart(ns(7777.7));  // an edge of tCK from now on
  EXPECT_EQ(dram.access(ns(7777.7), row, 16, false).completed, ns(7777.7 + 13.75 + 13.75 + 5));
  // The refresh was due at 7800; it is now at 15577.7.
  EXPECT_EQ(dram.access(ns(7777.7 + 1000), row, 16, false).completed, ns(8777.7 + 13.75 + 5));
}

TEST(DramConfigTest, RefusesParametersOutOfRange) {
  const auto with = [](auto change) {
    hw::DramConfig config;
    change(config);
    return config;
  };
  EXPECT_THROW(DramTiming(with([](hw::DramConfig& c) { c.banks = 0; })), std::invalid_argument);
  EXPECT_THROW(DramTiming(with([](hw::DramConfig& c) { c.t_rcd = 0; })), std::invalid_argument);
  EXPECT_THROW(DramTiming(with([](hw::DramConfig& c) { c.t_refi = 100; })), std::invalid_argument);
  EXPECT_THROW(DramTiming(with([](hw::DramConfig& c) { c.row_bytes = 100; })),
               std::invalid_argument);
  EXPECT_THROW(DramTiming(with([](hw::DramConfig& c) { c.burst_length = 0; })),
               std::invalid_argument);
}

TEST(Dram, PeekAndPokeEndWithTheDevice) {
  hw::HardwareConfig hardware;
  hardware.dram.bytes = 4096;
  Context context(hardware, hw::TimingLevel::approximate);
  Dram dram("dram", hardware.dram, context);
  const std::vector<std::uint8_t> written{1, 2, 3};
  std::vector<std::uint8_t> read(3);
  EXPECT_TRUE(dram.poke(4093, written.data(), 3));
  EXPECT_TRUE(dram.peek(4093, read.data(), 3));
  EXPECT_EQ(read, written);
  EXPECT_FALSE(dram.poke(4094, written.data(), 3));
  EXPECT_FALSE(dram.peek(~std::uint64_t{0}, read.data(), 3));
}

}  // namespace
}  // namespace abacus::models
