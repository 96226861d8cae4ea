// Bursts: what the DMA's engine asks of the bus, and the load and store units' checks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "models/dma/burst_engine.hpp"
#include "models/dma/load_unit.hpp"
#include "models/dma/store_unit.hpp"
#include "models/dma/transfer.hpp"
#include "models/memory/dram.hpp"
#include "tlm/bus.hpp"

namespace abacus::models {
namespace {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

constexpr std::uint64_t dram_bytes = 1 << 16;

struct Bench : sc_core::sc_module, hw::BusObserver {
  explicit Bench(const sc_core::sc_module_name& name,
                 hw::TimingLevel level = hw::TimingLevel::approximate,
                 hw::HardwareConfig configuration = {})
      : sc_module(name),
        hardware(small(configuration)),
        context(hardware, level),
        dram("dram", hardware.dram, context),
        activation("activation", Component::activation_sram, hardware.activation_sram, context),
        weight("weight", Component::weight_sram, hardware.weight_sram, context),
        parameter("parameter", Component::parameter_sram, hardware.parameter_sram, context),
        engine("engine", hardware.load_dma, context),
        load("load", hardware, context, tokens, activation, weight, parameter),
        store("store", hardware, context, tokens, activation),
        bus("bus", hardware.bus, context.cycle(), {"engine", "load", "store"},
            {{"dram", 0, dram_bytes}}) {
    engine.socket.bind(bus.from(0));
    load.engine().socket.bind(bus.from(1));
    store.engine().socket.bind(bus.from(2));
    bus.to(0).bind(dram.socket);
    bus.observe(*this);
    std::mt19937 random(3);
    contents.resize(dram_bytes);
    for (auto& byte : contents) byte = static_cast<std::uint8_t>(random());
    dram.poke(0, contents.data(), contents.size());
    SC_HAS_PROCESS(Bench);
    SC_THREAD(main);
  }
  static hw::HardwareConfig small(hw::HardwareConfig config) {
    config.dram.bytes = dram_bytes;
    return config;
  }
  struct Seen {
    std::uint64_t address;
    unsigned bytes;
    int initiator;
    int layer;
    hw::TensorPurpose purpose;
    bool write;
    sc_time completed;
  };
  void transferred(const hw::BusTransfer& t) override {
    seen.push_back(
        {t.address, t.bytes, t.initiator, t.tag.layer, t.tag.purpose, t.write, t.completed});
    beats += t.beats;
  }
  void main() {
    script();
    ended = true;
  }
  void run(std::function<void()> what) {
    script = std::move(what);
    sc_core::sc_start();
    ASSERT_TRUE(ended);
  }

  hw::HardwareConfig hardware;
  Context context;
  TokenCounters tokens;
  Dram dram;
  Sram activation, weight, parameter;
  BurstEngine engine;
  LoadUnit load;
  StoreUnit store;
  hw::Bus bus;
  std::vector<std::uint8_t> contents;
  std::vector<Seen> seen;
  int beats = 0;
  bool ended = false;
  std::function<void()> script;
};

hw::Command transfer(hw::Opcode opcode, std::uint64_t dram_address, std::uint32_t onchip_address,
                     std::uint32_t row_bytes, std::uint32_t rows = 1, std::uint32_t dram_stride = 0,
                     std::uint32_t onchip_stride = 0,
                     hw::OnChipMemory memory = hw::OnChipMemory::activation) {
  hw::Command command{};
  command.opcode = opcode;
  command.layer = 4;
  command.transfer = {dram_address,  onchip_address, row_bytes, rows, dram_stride,
                      onchip_stride, memory,         0,         {}};
  return command;
}

TEST(BurstEngine, CutsAtMultiplesOfTheBurst) {
  hw::HardwareConfig hardware;
  hardware.load_dma.burst_bytes = 64;
  Bench bench("bench", hw::TimingLevel::approximate, hardware);
  std::vector<std::uint8_t> data(200);
  bench.run([&] {
    BurstTransfer t;
    t.address = 100;
    t.row_bytes = 200;
    t.local = data.data();
    t.layer = 7;
    t.purpose = hw::TensorPurpose::weights;
    EXPECT_TRUE(bench.engine.run(t));
  });
  ASSERT_EQ(bench.seen.size(), 4u);
  const std::vector<std::pair<std::uint64_t, unsigned>> expected{
      {100, 28}, {128, 64}, {192, 64}, {256, 44}};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(bench.seen[i].address, expected[i].first);
    EXPECT_EQ(bench.seen[i].bytes, expected[i].second);
    EXPECT_EQ(bench.seen[i].layer, 7);
    EXPECT_EQ(bench.seen[i].purpose, hw::TensorPurpose::weights);
  }
  EXPECT_TRUE(std::equal(data.begin(), data.end(), bench.contents.begin() + 100));
}

// The same random transfers, there and back, at every level, burst size and number outstanding.
struct Case {
  hw::TimingLevel level;
  int burst_bytes;
  int outstanding;
};
class AnyBursts : public ::testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Cases, AnyBursts,
                         ::testing::Values(Case{hw::TimingLevel::functional, 64, 4},
                                           Case{hw::TimingLevel::approximate, 64, 4},
                                           Case{hw::TimingLevel::approximate, 64, 1},
                                           Case{hw::TimingLevel::approximate, 256, 4},
                                           Case{hw::TimingLevel::approximate, 16, 16},
                                           Case{hw::TimingLevel::approximate, 4, 3}));

TEST_P(AnyBursts, MoveRowsOfAnyShape) {
  hw::HardwareConfig hardware;
  hardware.load_dma = hardware.store_dma = {GetParam().burst_bytes, GetParam().outstanding};
  Bench bench("bench", GetParam().level, hardware);
  bench.run([&] {
    std::mt19937 generator(11);
    const auto random = [&generator] { return static_cast<std::uint32_t>(generator()); };
    std::vector<std::uint8_t> expected_dram = bench.contents;
    for (int i = 0; i < 60; ++i) {
      const std::uint32_t row_bytes = 1 + random() % 300;
      const std::uint32_t rows = 1 + random() % 8;
      const std::uint32_t dram_stride = row_bytes + (random() % 2) * (random() % 50);
      const std::uint32_t onchip_stride = row_bytes + (random() % 2) * (random() % 50);
      const std::uint32_t from = random() % 20000;
      const std::uint32_t to = 30000 + random() % 20000;
      const std::uint32_t onchip = random() % 60000;

      std::vector<std::uint8_t> expected_sram(bench.activation.data(),
                                              bench.activation.data() + bench.activation.size());
      for (std::uint32_t r = 0; r < rows; ++r) {
        std::copy_n(expected_dram.begin() + from + r * dram_stride, row_bytes,
                    expected_sram.begin() + onchip + r * onchip_stride);
      }
      for (std::uint32_t r = 0; r < rows; ++r) {
        std::copy_n(expected_sram.begin() + onchip + r * onchip_stride, row_bytes,
                    expected_dram.begin() + to + r * dram_stride);
      }

      bench.load.push(
          transfer(hw::Opcode::load, from, onchip, row_bytes, rows, dram_stride, onchip_stride), 0);
      while (!bench.load.idle()) wait(bench.load.progress());
      ASSERT_TRUE(std::equal(expected_sram.begin(), expected_sram.end(), bench.activation.data()))
          << "load " << i;
      bench.store.push(
          transfer(hw::Opcode::store, to, onchip, row_bytes, rows, dram_stride, onchip_stride), 0);
      while (!bench.store.idle()) wait(bench.store.progress());
      std::vector<std::uint8_t> dram(dram_bytes);
      bench.dram.peek(0, dram.data(), dram.size());
      ASSERT_EQ(dram, expected_dram) << "store " << i;
    }
    EXPECT_FALSE(bench.load.failure());
    EXPECT_FALSE(bench.store.failure());
  });
  for (const auto& seen : bench.seen) {
    EXPECT_EQ(seen.address / static_cast<std::uint64_t>(GetParam().burst_bytes),
              (seen.address + seen.bytes - 1) / static_cast<std::uint64_t>(GetParam().burst_bytes));
  }
}

sc_time time_of_load(const hw::DmaConfig& dma, std::uint32_t bytes) {
  hw::HardwareConfig hardware;
  hardware.load_dma = dma;
  Bench bench("bench", hw::TimingLevel::approximate, hardware);
  bench.run([&] {
    bench.load.push(transfer(hw::Opcode::load, 0, 0, bytes), 0);
    while (!bench.load.idle()) wait(bench.load.progress());
  });
  const auto& entry = bench.context.timeline.at(0);
  return entry.end - entry.start;
}

// SystemC elaborates once a process: each configuration is a test, its time held against the same
// hand-made sums.
TEST(LoadUnit, OneBurstTakesTheSumOfItsParts) {
  // 400 MHz: cycle 2.5 ns. Arbitration and address 2 cycles (5 ns); DRAM edge at 5 ns, miss 13.75
  // + 13.75 + 4 · 5 = 47.5 → 52.5 = edge; response 1 cycle, 8 beats → 75 ns; SRAM 64 bytes at 32: 2
  // cycles, latency 1 → 82.5 ns.
  EXPECT_EQ(time_of_load({64, 4}, 64), sc_time(82.5, sc_core::SC_NS));
}

TEST(LoadUnit, OneOutstandingPaysTheLatencyOfEachBurst) {
  // From the second on: address 5 ns after the beats of the one before; a hit, aligned to 1.25
  // ns, 13.75 + 20; response 1 + 8 beats, 22.5, at an edge of 2.5: 75 → 80 → 113.75 → 115 →
  // 137.5; 62.5 each.
  EXPECT_EQ(time_of_load({64, 1}, 64 * 5), sc_time(75 + 4 * 62.5 + 7.5, sc_core::SC_NS));
}

TEST(LoadUnit, FourOutstandingStreamAtTheSpeedOfBusAndDram) {
  // 64 bytes take 20 ns on the DRAM's data bus and as long on the bus.
  EXPECT_EQ(time_of_load({64, 4}, 64 * 30), sc_time(75 + 29 * 20 + 7.5, sc_core::SC_NS));
}

TEST(LoadUnit, LargerBurstsNeedFewerTransactions) {
  EXPECT_LE(time_of_load({256, 4}, 256 * 8), sc_time(75 + 31 * 20 + 60 + 30, sc_core::SC_NS));
}

// 16-byte rows 48 bytes apart: each is an access of its own, however wide the port.
TEST(LoadUnit, RowsApartAreSeparateAccesses) {
  Bench bench("bench");
  bench.run([&] {
    bench.load.push(transfer(hw::Opcode::load, 0, 0, 16, 6, 16, 48, hw::OnChipMemory::weight), 0);
    while (!bench.load.idle()) wait(bench.load.progress());
    bench.context.settle();
  });
  const auto& counts = bench.context.activity.counts();
  EXPECT_EQ(counts.at({4, Component::weight_sram, Action::sram_write, 512, 0}), 6);
}

TEST(LoadUnit, CountsAndTimelineCarryTheLayer) {
  Bench bench("bench");
  bench.run([&] {
    bench.load.push(transfer(hw::Opcode::load, 0, 0, 128, 1, 0, 0, hw::OnChipMemory::weight), 0);
    while (!bench.load.idle()) wait(bench.load.progress());
    bench.context.settle();
  });
  const auto& counts = bench.context.activity.counts();
  EXPECT_EQ(counts.at({4, Component::weight_sram, Action::sram_write, 512, 0}), 2);
  EXPECT_EQ(counts.at({4, Component::dma, Action::register_write, 64, 0}), 16);
  EXPECT_EQ(counts.at({4, Component::dma, Action::register_read, 64, 0}), 16);
  EXPECT_EQ(counts.at({4, Component::dram, Action::dram_read, 128, 0}), 8);
  EXPECT_EQ(counts.at({4, Component::dram, Action::dram_activate, 128, 0}), 1);
  EXPECT_EQ(bench.seen.at(0).purpose, hw::TensorPurpose::weights);
  ASSERT_EQ(bench.context.timeline.size(), 1u);
  const auto& entry = bench.context.timeline[0];
  EXPECT_EQ(entry.unit, Unit::load);
  EXPECT_EQ(entry.layer, 4);
  EXPECT_EQ(entry.stalled, entry.end - entry.start - bench.context.cycles(16));
}

// A burst comes before the traffic of commands: only other bursts make it wait.
struct SharedMemory {
  sc_time load, store;  // what each took
};
SharedMemory load_and_store(const hw::SramConfig& memory, bool together, std::int64_t accesses) {
  hw::HardwareConfig hardware;
  hardware.activation_sram = memory;
  Bench bench("bench", hw::TimingLevel::approximate, hardware);
  SharedMemory times;
  bench.run([&] {
    Sram::Stream command(bench.activation, accesses);
    const sc_time start = sc_time_stamp();
    bench.load.push(transfer(hw::Opcode::load, 0, 0, 2048), 0);
    if (!together) {
      while (!bench.load.idle()) wait(bench.load.progress());
    }
    const sc_time store_start = sc_time_stamp();
    bench.store.push(transfer(hw::Opcode::store, 32768, 4096, 2048), 0);
    while (!bench.store.idle()) wait(bench.store.progress());
    while (!bench.load.idle()) wait(bench.load.progress());
    for (const TimelineEntry& entry : bench.context.timeline) {
      (entry.unit == Unit::load ? times.load : times.store) =
          entry.end - (entry.unit == Unit::load ? start : store_start);
    }
  });
  return times;
}

TEST(LoadAndStore, DoNotWaitForCommands) {
  const SharedMemory alone = load_and_store({16384, 2, 64, 1}, false, 0);
  EXPECT_LT(alone.load, sc_time(2048 / 4 * 2.5, sc_core::SC_NS));
}

TEST(LoadAndStore, DoNotWaitForCommandsThatTakeEveryPort) {
  // As above with a stream that outlasts them: each process has one configuration.
  const SharedMemory busy = load_and_store({16384, 2, 64, 1}, false, 1'000'000);
  EXPECT_LT(busy.load, sc_time(2048 / 4 * 2.5, sc_core::SC_NS));
  EXPECT_LT(busy.store, sc_time(2048 / 4 * 2.5, sc_core::SC_NS));
}

TEST(LoadAndStore, ShareOnePort) {
  // A port of 4 bytes, where the bus brings 8 a cycle: 1,024 accesses for both.
  const SharedMemory times = load_and_store({16384, 1, 4, 1}, true, 0);
  EXPECT_GE(std::max(times.load, times.store), sc_time(1024 * 2.5, sc_core::SC_NS));
  EXPECT_LE(std::max(times.load, times.store), sc_time(1.2 * 1024 * 2.5, sc_core::SC_NS));
}

// 512 reads of 4 bytes, where the bus takes 8 a cycle: the store has ended when they have.
TEST(StoreUnit, LastsForAsLongAsItReads) {
  const SharedMemory alone = load_and_store({16384, 1, 4, 1}, false, 0);
  EXPECT_GE(alone.store, sc_time(512 * 2.5, sc_core::SC_NS));
  EXPECT_LE(alone.store, sc_time(1.2 * 512 * 2.5, sc_core::SC_NS));
}

// 16-byte rows 48 bytes apart are an access each: as long as whole ports.
TEST(LoadUnit, RowsApartTakeAnAccessEach) {
  hw::HardwareConfig hardware;
  hardware.activation_sram = {16384, 1, 64, 1};
  Bench bench("bench", hw::TimingLevel::approximate, hardware);
  bench.run([&] {
    Sram::Stream command(bench.activation, 10'000);
    bench.load.push(transfer(hw::Opcode::load, 0, 0, 16, 64, 16, 48), 0);
    while (!bench.load.idle()) wait(bench.load.progress());
    EXPECT_EQ(command.served(), bench.context.cycles(10'000 + 64));
  });
}

class RefusedTransfers : public ::testing::TestWithParam<hw::TimingLevel> {};
INSTANTIATE_TEST_SUITE_P(Levels, RefusedTransfers,
                         ::testing::Values(hw::TimingLevel::functional,
                                           hw::TimingLevel::approximate));

TEST_P(RefusedTransfers, SayWhatWasWrong) {
  Bench bench("bench", GetParam());
  const std::uint32_t size = bench.activation.size();
  struct Refused {
    hw::Command command;
    const char* message;
  };
  const std::vector<Refused> loads{
      {transfer(hw::Opcode::load, 0, 0, 0), "at least 1"},
      {transfer(hw::Opcode::load, 0, 0, 16, 0), "at least 1"},
      {transfer(hw::Opcode::load, 0, size - 15, 16), "activation_sram has 131072"},
      {transfer(hw::Opcode::load, 0, 0, 16, 0xFFFF'FFFF, 16, 0xFFFF'FFFF), "activation_sram has"},
      {transfer(hw::Opcode::load, 0, 8192, 16, 1, 0, 0, hw::OnChipMemory::parameter),
       "parameter_sram has"},
      {transfer(hw::Opcode::load, 0, 0, 16, 1, 0, 0, static_cast<hw::OnChipMemory>(3)), "memory 3"},
      {transfer(hw::Opcode::load, dram_bytes - 8, 0, 16), "bus"},
      {transfer(hw::Opcode::load, ~std::uint64_t{7}, 0, 16), "bus"},
      {transfer(hw::Opcode::store, 0, 0, 16), "loads only"}};
  const std::vector<Refused> stores{
      {transfer(hw::Opcode::store, 0, size - 15, 16), "activation_sram has 131072"},
      {transfer(hw::Opcode::store, 0, 0, 16, 1, 0, 0, hw::OnChipMemory::weight), "memory 1"},
      {transfer(hw::Opcode::store, dram_bytes - 8, 0, 16), "bus"},
      {transfer(hw::Opcode::load, 0, 0, 16), "stores only"}};
  const auto check = [](ExecutionUnit& unit, const std::vector<Refused>& all) {
    for (const Refused& refused : all) {
      unit.reset();
      unit.push(refused.command, 9);
      while (!unit.failure()) wait(unit.progress());
      EXPECT_EQ(unit.failure()->index, 9u);
      EXPECT_THAT(unit.failure()->message, ::testing::HasSubstr(refused.message));
      while (!unit.idle()) wait(unit.progress());
    }
  };
  bench.run([&] {
    check(bench.load, loads);
    check(bench.store, stores);
    std::vector<std::uint8_t> dram(dram_bytes);
    bench.dram.peek(0, dram.data(), dram.size());
    EXPECT_EQ(dram, bench.contents);
  });
}

TEST(Transfer, DataBeatsCountTouchedWords) {
  BurstTransfer t;
  t.address = 4;
  t.row_bytes = 8;
  EXPECT_EQ(data_beats(t, 64, 8), 2);
  t.rows = 3;
  t.stride = 16;
  EXPECT_EQ(data_beats(t, 64, 8), 6);
  t.stride = 8;  // one run of 24 bytes
  EXPECT_EQ(data_beats(t, 64, 8), 4);
  t = {};
  t.row_bytes = 64;
  EXPECT_EQ(data_beats(t, 4, 8), 16);  // bursts smaller than the bus
}

TEST(BurstEngine, RefusesBadParameters) {
  Context context(hw::HardwareConfig{}, hw::TimingLevel::approximate);
  EXPECT_THROW(BurstEngine("a", hw::DmaConfig{0, 4}, context), std::invalid_argument);
  EXPECT_THROW(BurstEngine("b", hw::DmaConfig{64, 0}, context), std::invalid_argument);
}

}  // namespace
}  // namespace abacus::models
