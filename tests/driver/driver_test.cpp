#include "sw/driver/driver.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <vector>

#include "tlm/address_map.hpp"
#include "tlm/register_map.hpp"

namespace abacus::driver {
namespace {

namespace registers = hw::register_map;

// DRAM and registers of an accelerator that answers each program with scores = input + 1.
class FakeBus : public hw::HostBus {
 public:
  explicit FakeBus() : memory(4096, 0) { values[registers::identification] = 0xABAC0001; }

  bool read(std::uint64_t address, std::uint8_t* data, std::size_t bytes) override {
    if (fails()) return false;
    if (address >= hw::address_map::registers_base) {
      EXPECT_EQ(bytes, 4u);
      const std::uint32_t value = values[static_cast<std::uint32_t>(address & 0xFFF)];
      for (int i = 0; i < 4; ++i) data[i] = static_cast<std::uint8_t>(value >> (8 * i));
      return true;
    }
    if (address + bytes > memory.size()) return false;
    std::memcpy(data, memory.data() + address, bytes);
    return true;
  }

  bool write(std::uint64_t address, const std::uint8_t* data, std::size_t bytes) override {
    if (fails()) return false;
    if (address >= hw::address_map::registers_base) {
      EXPECT_EQ(bytes, 4u);
      std::uint32_t value = 0;
      for (int i = 0; i < 4; ++i) value |= std::uint32_t{data[i]} << (8 * i);
      set_register(static_cast<std::uint32_t>(address & 0xFFF), value);
      return true;
    }
    if (address + bytes > memory.size()) return false;
    std::memcpy(memory.data() + address, data, bytes);
    return true;
  }

  void wait_for_interrupt() override {
    ++waits;
    EXPECT_TRUE(running) << "nothing runs that could interrupt";
    running = false;
    for (int i = 0; i < 4; ++i) {
      memory[0x800 + static_cast<std::size_t>(i)] =
          static_cast<std::uint8_t>(memory[0x700 + static_cast<std::size_t>(i)] + 1);
    }
    values[registers::status] = registers::status_done | (refuse ? registers::status_error : 0u);
    values[registers::error_command] = refuse ? 17 : 0;
    values[registers::cycles_low] = 0x89ABCDEF;
    values[registers::cycles_high] = 0x12;
    values[registers::saturations_low] = 5;
    values[registers::saturations_high] = 1;
  }

  std::vector<std::uint8_t> memory;
  std::map<std::uint32_t, std::uint32_t> values;
  std::optional<int> accesses_until_failure;
  int accesses = 0;
  bool refuse = false;
  bool running = false;
  int waits = 0;

 private:
  bool fails() { return accesses_until_failure && accesses++ >= *accesses_until_failure; }

  void set_register(std::uint32_t offset, std::uint32_t value) {
    values[offset] = value;
    if (offset == registers::doorbell) running = value == 1;
    if (offset == registers::interrupt_clear) values[registers::status] = 0;
  }
};

class DriverTest : public ::testing::Test {
 protected:
  DriverTest() : image_{1, 2, 3, 4, 5, 6, 7, 8} {
    program_.image_address = 0x100;
    program_.image = image_.data();
    program_.image_bytes = image_.size();
    program_.command_address = 0x1'0000'0104;
    program_.command_words = 33;
    program_.input_address = 0x700;
    program_.input_bytes = 4;
    program_.scores_address = 0x800;
    program_.scores_bytes = 4;
  }

  DriverStatus run() { return driver_.run(input_.data(), scores_.data(), statistics_); }

  std::vector<std::uint8_t> image_;
  std::vector<std::uint8_t> input_{10, 20, 30, 40};
  std::vector<std::uint8_t> scores_{0, 0, 0, 0};
  RunStatistics statistics_{};
  ProgramView program_{};
  FakeBus bus_;
  Driver driver_{bus_};
};

TEST_F(DriverTest, LoadCopiesTheProgram) {
  ASSERT_EQ(driver_.load(program_), DriverStatus::ok);
  EXPECT_TRUE(std::equal(image_.begin(), image_.end(), bus_.memory.begin() + 0x100));
}

TEST_F(DriverTest, RunReturnsScoresAndCounters) {
  ASSERT_EQ(driver_.load(program_), DriverStatus::ok);
  ASSERT_EQ(run(), DriverStatus::ok);
  EXPECT_EQ(scores_, (std::vector<std::uint8_t>{11, 21, 31, 41}));
  EXPECT_EQ(statistics_.cycles, 0x1289ABCDEFu);
  EXPECT_EQ(statistics_.saturations, 0x100000005u);
  EXPECT_EQ(bus_.values[registers::program_address_low], 0x104u);
  EXPECT_EQ(bus_.values[registers::program_address_high], 1u);
  EXPECT_EQ(bus_.values[registers::program_length], 33u);
  EXPECT_EQ(bus_.values[registers::status], 0u) << "the interrupt was not cleared";
  EXPECT_EQ(bus_.waits, 1);
}

TEST_F(DriverTest, RunsAgain) {
  ASSERT_EQ(driver_.load(program_), DriverStatus::ok);
  ASSERT_EQ(run(), DriverStatus::ok);
  input_ = {1, 1, 1, 1};
  ASSERT_EQ(run(), DriverStatus::ok);
  EXPECT_EQ(scores_, (std::vector<std::uint8_t>{2, 2, 2, 2}));
}

TEST_F(DriverTest, RefusesAnotherIdentification) {
  bus_.values[registers::identification] = 0xDEADBEEF;
  EXPECT_EQ(driver_.load(program_), DriverStatus::no_accelerator);
  EXPECT_EQ(bus_.memory[0x100], 0) << "wrote to a device that it does not know";
}

TEST_F(DriverTest, LeavesABusyAcceleratorAlone) {
  bus_.values[registers::status] = registers::status_busy;
  EXPECT_EQ(driver_.load(program_), DriverStatus::busy);
  bus_.values[registers::status] = 0;
  ASSERT_EQ(driver_.load(program_), DriverStatus::ok);
  bus_.values[registers::status] = registers::status_busy;
  EXPECT_EQ(run(), DriverStatus::busy);
  EXPECT_EQ(bus_.waits, 0);
}

TEST_F(DriverTest, ReportsARefusedCommandAndItsIndex) {
  ASSERT_EQ(driver_.load(program_), DriverStatus::ok);
  bus_.refuse = true;
  EXPECT_EQ(run(), DriverStatus::command_error);
  EXPECT_EQ(statistics_.error_command, 17u);
  EXPECT_EQ(scores_, (std::vector<std::uint8_t>{0, 0, 0, 0})) << "scores of a failed run";
  EXPECT_EQ(bus_.values[registers::status], 0u);
}

// Whichever access fails, the driver says so.
TEST_F(DriverTest, ReportsEveryBusError) {
  int failed = 0;
  for (int good = 0;; ++good) {
    FakeBus bus;
    Driver driver(bus);
    bus.accesses_until_failure = good;
    DriverStatus status = driver.load(program_);
    if (status == DriverStatus::ok) status = driver.run(input_.data(), scores_.data(), statistics_);
    if (status == DriverStatus::ok) break;
    ASSERT_EQ(status, DriverStatus::bus_error) << "after " << good << " good accesses";
    ++failed;
  }
  EXPECT_GE(failed, 12);
}

TEST_F(DriverTest, ReportsAProgramThatDoesNotFitTheMemory) {
  program_.image_address = bus_.memory.size() - 3;
  EXPECT_EQ(driver_.load(program_), DriverStatus::bus_error);
}

TEST(DriverStatusText, NamesEachStatus) {
  EXPECT_STREQ(to_string(DriverStatus::ok), "ok");
  EXPECT_STREQ(to_string(DriverStatus::bus_error), "bus error");
  EXPECT_STREQ(to_string(DriverStatus::busy), "the accelerator is busy");
  EXPECT_STREQ(to_string(DriverStatus::command_error), "the accelerator refused a command");
}

}  // namespace
}  // namespace abacus::driver
