// The whole platform, driven over its bus with commands written by hand.
#include "models/accelerator/platform.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/driver/driver.hpp"
#include "tlm/address_map.hpp"
#include "tlm/command.hpp"
#include "tlm/command_stream.hpp"
#include "tlm/register_map.hpp"

namespace abacus::models {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t command_address = 0x10'0000;
constexpr std::uint64_t input_address = 0x20'0000;
constexpr std::uint64_t output_address = 0x30'0000;

hw::Command load(std::uint64_t dram, std::uint32_t onchip, std::uint32_t bytes,
                 std::uint16_t wait = 0, std::uint16_t signal = 0) {
  hw::Command command{};
  command.opcode = hw::Opcode::load;
  command.layer = 1;
  command.wait = wait;
  command.signal = signal;
  command.transfer = {dram, onchip, bytes, 1, 0, 0, hw::OnChipMemory::activation, 0, {}};
  return command;
}

hw::Command store(std::uint64_t dram, std::uint32_t onchip, std::uint32_t bytes,
                  std::uint16_t wait = 0, std::uint16_t signal = 0) {
  hw::Command command = load(dram, onchip, bytes, wait, signal);
  command.opcode = hw::Opcode::store;
  command.layer = 3;
  return command;
}

hw::Command finish() {
  hw::Command command{};
  command.opcode = hw::Opcode::finish;
  command.layer = hw::no_layer;
  return command;
}

Bytes random_bytes(std::size_t count, unsigned seed = 5) {
  std::mt19937 random(seed);
  Bytes bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

// Platform and the driver's view of a program made of the given commands.
struct System {
  System(hw::TimingLevel level, const std::vector<hw::Command>& program, std::size_t bytes,
         const hw::HardwareConfig& hardware = {})
      : platform("platform", hardware, level),
        stream(hw::encode_commands(program)),
        input(random_bytes(bytes)),
        scores(bytes) {
    const auto* image = reinterpret_cast<const std::uint8_t*>(stream.data());
    view = {command_address,
            image,
            stream.size() * sizeof(std::uint32_t),
            command_address,
            static_cast<std::uint32_t>(stream.size()),
            input_address,
            input.size(),
            output_address,
            scores.size()};
  }
  void run(const std::function<void(hw::HostBus&)>& software) {
    bool ended = false;
    platform.set_software([&](hw::HostBus& bus) {
      software(bus);
      ended = true;
    });
    sc_core::sc_start();
    ASSERT_TRUE(ended) << "the software hangs";
  }
  void run(int images = 1) {
    run([&](hw::HostBus& bus) {
      driver::Driver driver(bus);
      status = driver.load(view);
      for (int i = 0; i < images && status == driver::DriverStatus::ok; ++i) {
        status = driver.run(input.data(), scores.data(), statistics);
      }
    });
  }
  Platform platform;
  std::vector<std::uint32_t> stream;
  Bytes input, scores;
  driver::ProgramView view{};
  driver::DriverStatus status{};
  driver::RunStatistics statistics{};
};

class PlatformAtBothLevels : public ::testing::TestWithParam<hw::TimingLevel> {};
INSTANTIATE_TEST_SUITE_P(Levels, PlatformAtBothLevels,
                         ::testing::Values(hw::TimingLevel::functional,
                                           hw::TimingLevel::approximate));

TEST_P(PlatformAtBothLevels, LoadAndStoreBringTheInputBack) {
  System system(GetParam(),
                {load(input_address, 64, 5000, 0, 1), store(output_address, 64, 5000, 1), finish()},
                5000);
  system.run();
  EXPECT_EQ(system.status, driver::DriverStatus::ok);
  EXPECT_EQ(system.scores, system.input);
  EXPECT_EQ(system.statistics.cycles > 0, GetParam() == hw::TimingLevel::approximate);
  EXPECT_EQ(system.platform.error_message(), "");
}

TEST_P(PlatformAtBothLevels, TilesGoThroughTwoBuffers) {
  // Double buffering: load tile i + 2 waits until tile i is stored (tokens 2, 3), store waits for
  // its load (tokens 0, 1).
  std::vector<hw::Command> commands;
  constexpr std::uint32_t tile = 700;
  for (std::uint32_t i = 0; i < 20; ++i) {
    const std::uint32_t buffer = i % 2;
    const auto loaded = static_cast<std::uint16_t>(1u << buffer);
    const auto stored = static_cast<std::uint16_t>(4u << buffer);
    commands.push_back(load(input_address + i * tile, buffer * 1024, tile,
                            i < 2 ? std::uint16_t{0} : stored, loaded));
    commands.push_back(store(output_address + i * tile, buffer * 1024, tile, loaded, stored));
  }
  commands.push_back(finish());
  System system(GetParam(), commands, 20 * tile);
  system.run(2);
  EXPECT_EQ(system.status, driver::DriverStatus::ok);
  EXPECT_EQ(system.scores, system.input);
}

TEST_P(PlatformAtBothLevels, ABitFlippedInTheMemoryShowsInTheResult) {
  System system(GetParam(),
                {load(input_address, 0, 500, 0, 1), store(output_address, 0, 500, 1), finish()},
                500);
  system.platform.activation_sram().flip_bit_after_write(123, 6, 0);
  system.run();
  Bytes expected = system.input;
  expected[123] ^= 0x40;
  EXPECT_EQ(system.scores, expected);
}

// What a check looks at: the command's result, though the next load overwrites it.
TEST_P(PlatformAtBothLevels, AnObserverSeesAComputeCommandsResultInTheDebugWindow) {
  hw::Command pool{};
  pool.opcode = hw::Opcode::pool;
  pool.layer = 2;
  pool.wait = 1;
  pool.signal = 2;
  pool.vector.output_address = 128;
  pool.vector.height = pool.vector.width = pool.vector.input_width = 1;
  pool.vector.channels = 32;
  pool.vector.kernel = pool.vector.stride = pool.vector.maximum = 1;
  pool.vector.multiplier = 1;
  pool.vector.input_format = pool.vector.output_format = {8, 0};
  System system(GetParam(),
                {load(input_address, 0, 64, 0, 1), pool, load(input_address + 64, 128, 64, 2, 4),
                 store(output_address, 128, 64, 4), finish()},
                128);
  const Bytes first(system.input.begin(), system.input.begin() + 32);
  const Bytes second(system.input.begin() + 64, system.input.end());
  std::vector<std::uint32_t> ended;
  Bytes seen(32);
  system.platform.observe_compute([&](std::uint32_t command) {
    ended.push_back(command);
    EXPECT_TRUE(system.platform.peek(hw::address_map::activation_sram_base + 128, seen.data(),
                                     seen.size()));
  });
  system.run();
  EXPECT_EQ(system.status, driver::DriverStatus::ok);
  EXPECT_EQ(ended, std::vector<std::uint32_t>{1});
  EXPECT_EQ(seen, first);
  system.scores.resize(64);
  EXPECT_EQ(system.scores, second);
  EXPECT_FALSE(system.platform.peek(
      hw::address_map::activation_sram_base + hw::HardwareConfig{}.activation_sram.bytes - 16,
      seen.data(), seen.size()))
      << "past the memory's end";
}

TEST_P(PlatformAtBothLevels, AddressesOffTheBusAreReportedToTheDriver) {
  System system(GetParam(), {load(input_address, 0, 64), load(0x3000'0000, 0, 64), finish()}, 64);
  system.run();
  EXPECT_EQ(system.status, driver::DriverStatus::command_error);
  EXPECT_EQ(system.statistics.error_command, 1u);
  EXPECT_THAT(system.platform.error_message(), ::testing::HasSubstr("command 1"));
}

TEST_P(PlatformAtBothLevels, AnErrorDoesNotOutliveItsProgram) {
  System system(GetParam(), {load(0x3000'0000, 0, 64), finish()}, 64);
  const std::vector<std::uint32_t> good = hw::encode_commands(
      {load(input_address, 0, 64, 0, 1), store(output_address, 0, 64, 1), finish()});
  driver::DriverStatus second{};
  system.run([&](hw::HostBus& bus) {
    driver::Driver driver(bus);
    ASSERT_EQ(driver.load(system.view), driver::DriverStatus::ok);
    system.status = driver.run(system.input.data(), system.scores.data(), system.statistics);
    driver::ProgramView view = system.view;
    view.image = reinterpret_cast<const std::uint8_t*>(good.data());
    view.image_bytes = good.size() * sizeof(std::uint32_t);
    view.command_words = static_cast<std::uint32_t>(good.size());
    ASSERT_EQ(driver.load(view), driver::DriverStatus::ok);
    second = driver.run(system.input.data(), system.scores.data(), system.statistics);
  });
  EXPECT_EQ(system.status, driver::DriverStatus::command_error);
  EXPECT_EQ(second, driver::DriverStatus::ok);
  EXPECT_EQ(system.scores, system.input);
}

TEST_P(PlatformAtBothLevels, TheHostSeesBusErrors) {
  System system(GetParam(), {finish()}, 64);
  system.run([](hw::HostBus& bus) {
    Bytes data(8);
    EXPECT_FALSE(
        bus.read(hw::address_map::activation_sram_base, data.data(), 4));  // debugging only
    EXPECT_FALSE(bus.read(0xF000'0000, data.data(), 4));
    EXPECT_FALSE(bus.write(hw::HardwareConfig{}.dram.bytes - 4, data.data(), 8));
    EXPECT_FALSE(bus.read(hw::address_map::registers_base, data.data(), 8));
    EXPECT_TRUE(bus.read(hw::address_map::registers_base, data.data(), 4));
    EXPECT_TRUE(bus.write(hw::HardwareConfig{}.dram.bytes - 8, data.data(), 8));
  });
}

TEST(Platform, LevelsMayChangeBetweenPrograms) {
  System system(hw::TimingLevel::functional,
                {load(input_address, 0, 4000, 0, 1), store(output_address, 0, 4000, 1), finish()},
                4000);
  std::vector<std::uint64_t> cycles;
  system.run([&](hw::HostBus& bus) {
    driver::Driver driver(bus);
    driver.load(system.view);
    for (const hw::TimingLevel level :
         {hw::TimingLevel::functional, hw::TimingLevel::approximate, hw::TimingLevel::functional}) {
      system.platform.context().set_level(level);
      std::fill(system.scores.begin(), system.scores.end(), std::uint8_t{0});
      EXPECT_EQ(driver.run(system.input.data(), system.scores.data(), system.statistics),
                driver::DriverStatus::ok);
      EXPECT_EQ(system.scores, system.input);
      cycles.push_back(system.statistics.cycles);
    }
  });
  EXPECT_EQ(cycles[0], 0u);
  EXPECT_GT(cycles[1], 1000u);
  EXPECT_EQ(cycles[2], 0u);
}

TEST(Platform, CountsBelongToTheLayerOfTheCommand) {
  System system(hw::TimingLevel::approximate,
                {load(input_address, 0, 640, 0, 1), store(output_address, 0, 640, 1), finish()},
                640);
  system.run([&](hw::HostBus& bus) {
    driver::Driver driver(bus);
    driver.load(system.view);
    system.platform.context().activity.clear();
    driver.run(system.input.data(), system.scores.data(), system.statistics);
  });
  const auto& counts = system.platform.context().activity.counts();
  // 640 bytes: 40 DRAM bursts of 16; 80 data beats in 3 bus bursts, each with the other channel's beat
  // (a write also an address beat).
  EXPECT_EQ(counts.at({1, Component::dram, Action::dram_read, 128, 0}), 40);
  EXPECT_EQ(counts.at({3, Component::dram, Action::dram_write, 128, 0}), 40);
  EXPECT_EQ(counts.at({1, Component::bus, Action::bus_beat, 64, 0}), 80 + 3);
  EXPECT_EQ(counts.at({3, Component::bus, Action::bus_beat, 64, 0}), 80 + 3 * 2);
  EXPECT_EQ(counts.at({1, Component::activation_sram, Action::sram_write, 256, 0}), 20);
  EXPECT_EQ(counts.at({3, Component::activation_sram, Action::sram_read, 256, 0}), 20);
  // Three words of header; DRAM address, bytes, rows.
  EXPECT_EQ(counts.at({1, Component::sequencer, Action::register_write, 32, 0}), 6);
  EXPECT_EQ(counts.at({1, Component::sequencer, Action::register_read, 1024, 0}), 1);
  // No layer: three commands fetched, 60 bytes; the driver's image and scores.
  EXPECT_EQ(counts.at({-1, Component::dram, Action::dram_read, 128, 0}), 4 + 40);
  EXPECT_EQ(counts.at({-1, Component::dram, Action::dram_write, 128, 0}), 40);
}

TEST(Platform, TheMonitorSeesEveryTransaction) {
  hw::Command residual = load(input_address, 64, 64);
  residual.transfer.residual = 1;
  System system(
      hw::TimingLevel::approximate,
      {load(input_address, 0, 64, 0, 1), residual, store(output_address, 0, 64, 1), finish()}, 64);
  std::ostringstream log;
  system.platform.log_bus(log);
  system.run();
  EXPECT_THAT(log.str(), ::testing::HasSubstr(",load,1,input,0x00200000,64,read,"));
  EXPECT_THAT(log.str(), ::testing::HasSubstr(",load,1,residual,0x00200000,64,read,"));
  EXPECT_THAT(log.str(), ::testing::HasSubstr(",store,3,output,0x00300000,64,write,"));
  EXPECT_THAT(log.str(), ::testing::HasSubstr(",sequencer,-1,command,0x00100000,80,read,"));
  EXPECT_THAT(log.str(), ::testing::HasSubstr(",host,-1,none,0x40000014,4,write,"));
}

// Contention -------------------------------------------------------------------------------------

// 8 loads of 8 KB, and as many stores, independent of one another.
std::uint64_t cycles_of(int loads, int stores, const hw::HardwareConfig& hardware) {
  std::vector<hw::Command> commands;
  for (std::uint32_t i = 0; i < 8; ++i) {
    if (loads > 0) commands.push_back(load(input_address + i * 8192, 0, 8192));
    if (stores > 0) commands.push_back(store(output_address + i * 8192, 65536, 8192));
  }
  commands.push_back(finish());
  System system(hw::TimingLevel::approximate, commands, 64, hardware);
  system.run();
  EXPECT_EQ(system.status, driver::DriverStatus::ok);
  return system.statistics.cycles;
}

// The loads alone need 64 KB at the DRAM's 8 bytes a cycle.
constexpr std::uint64_t least_cycles = 8 * 8192 / 8;

TEST(Contention, OneDmaAloneComesNearTheDramsBandwidth) {
  const std::uint64_t cycles = cycles_of(1, 0, {});
  EXPECT_GE(cycles, least_cycles);
  EXPECT_LT(cycles, least_cycles * 12 / 10);
}

TEST(Contention, TwoDmasAreSlowerThanOne) { EXPECT_GE(cycles_of(1, 1, {}), 2 * least_cycles); }

TEST(Contention, OneOutstandingBurstIsFarSlower) {
  hw::HardwareConfig hardware;
  hardware.load_dma.outstanding = 1;
  EXPECT_GT(cycles_of(1, 0, hardware), 2 * least_cycles);
}

TEST(Contention, ANarrowBusIsTheBottleneck) {
  hw::HardwareConfig hardware;
  hardware.bus.bytes_per_cycle = 2;
  const std::uint64_t cycles = cycles_of(1, 0, hardware);
  EXPECT_GE(cycles, 4 * least_cycles);
  EXPECT_LT(cycles, 5 * least_cycles);
}

TEST(Contention, LargerBurstsNeedNoMoreTime) {
  hw::HardwareConfig hardware;
  hardware.load_dma.burst_bytes = 256;
  const std::uint64_t cycles = cycles_of(1, 0, hardware);
  EXPECT_GE(cycles, least_cycles);
  EXPECT_LT(cycles, least_cycles * 12 / 10);
}

// Neither the pixels nor what ran before has a part in a program's time, whatever the ratio of
// clocks.
class EqualCycles : public ::testing::TestWithParam<double> {};
INSTANTIATE_TEST_SUITE_P(ClocksInMhz, EqualCycles, ::testing::Values(400.0, 333.0, 701.3));

TEST_P(EqualCycles, OnAnyImageAtAnyTime) {
  std::vector<hw::Command> commands;
  for (std::uint32_t i = 0; i < 20; ++i) {
    commands.push_back(load(input_address + i * 1000, i % 2 * 1024, 1000, 0, 1));
    commands.push_back(store(output_address + i * 1000, i % 2 * 1024, 1000, 1, 0));
  }
  commands.push_back(finish());
  hw::HardwareConfig hardware;
  hardware.clock_mhz = GetParam();
  System system(hw::TimingLevel::approximate, commands, 20000, hardware);
  std::vector<std::uint64_t> cycles;
  system.run([&](hw::HostBus& bus) {
    driver::Driver driver(bus);
    driver.load(system.view);
    for (unsigned image = 0; image < 4; ++image) {
      system.input = random_bytes(20000, image);
      Bytes between(1 + 777 * image);  // the host does something else meanwhile
      bus.read(0x50'0000, between.data(), between.size());
      EXPECT_EQ(driver.run(system.input.data(), system.scores.data(), system.statistics),
                driver::DriverStatus::ok);
      cycles.push_back(system.statistics.cycles);
    }
  });
  EXPECT_GT(cycles[0], 5000u);
  EXPECT_THAT(cycles, ::testing::Each(cycles[0]));
}

TEST(Platform, RefusesHardwareOutOfRange) {
  const auto refuses = [](auto change, const char* what) {
    hw::HardwareConfig hardware;
    change(hardware);
    try {
      Platform platform("platform", hardware, hw::TimingLevel::approximate);
      ADD_FAILURE() << "accepted, expected " << what;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr(what));
    }
  };
  refuses([](hw::HardwareConfig& h) { h.clock_mhz = 0; }, "clock_mhz");
  refuses([](hw::HardwareConfig& h) { h.command_queue = 0; }, "command_queue");
  refuses([](hw::HardwareConfig& h) { h.dram.bytes = 0x8000'0000; }, "dram.bytes");
  refuses([](hw::HardwareConfig& h) { h.dram.bytes = 0; }, "bytes");
  refuses([](hw::HardwareConfig& h) { h.weight_sram.bytes = 0x200'0000; }, "on-chip memory");
  refuses([](hw::HardwareConfig& h) { h.bus.bytes_per_cycle = 0; }, "bus");
  refuses([](hw::HardwareConfig& h) { h.load_dma.outstanding = 0; }, "dma");
}

}  // namespace
}  // namespace abacus::models
