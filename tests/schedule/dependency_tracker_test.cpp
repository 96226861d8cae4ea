#include "sw/schedule/dependency_tracker.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace abacus::schedule {
namespace {

using Memory = MemoryAccess::Memory;

constexpr std::uint16_t bit(int counter) { return static_cast<std::uint16_t>(1u << counter); }

MemoryAccess reads(std::uint64_t begin, std::uint64_t end) {
  return {Memory::activation, {begin, end}, false};
}
MemoryAccess writes(std::uint64_t begin, std::uint64_t end) {
  return {Memory::activation, {begin, end}, true};
}

TEST(DependencyTracker, ReaderWaitsForTheWriterOnce) {
  DependencyTracker tracker;
  tracker.add(CommandUnit::load, hw::Command{}, {writes(0, 64)});
  tracker.add(CommandUnit::compute, hw::Command{}, {reads(0, 64)});
  tracker.add(CommandUnit::compute, hw::Command{}, {reads(32, 33)});
  const std::vector<hw::Command>& commands = tracker.commands();
  EXPECT_EQ(commands[0].signal, bit(load_to_compute));
  EXPECT_EQ(commands[1].wait, bit(load_to_compute));
  EXPECT_EQ(commands[2].wait, 0) << "the command before it has waited already";
}

TEST(DependencyTracker, OverwritingWaitsForTheLastReader) {
  DependencyTracker tracker;
  tracker.add(CommandUnit::load, hw::Command{}, {writes(0, 64)});
  tracker.add(CommandUnit::compute, hw::Command{}, {reads(0, 64)});
  tracker.add(CommandUnit::compute, hw::Command{}, {reads(0, 64)});
  tracker.add(CommandUnit::load, hw::Command{}, {writes(63, 100)});
  const std::vector<hw::Command>& commands = tracker.commands();
  EXPECT_EQ(commands[1].signal, 0);
  EXPECT_EQ(commands[2].signal, bit(compute_to_load));
  EXPECT_EQ(commands[3].wait, bit(compute_to_load));
}

TEST(DependencyTracker, ReadersAndOtherMemoriesDoNotWait) {
  DependencyTracker tracker;
  tracker.add(CommandUnit::compute, hw::Command{}, {writes(0, 64), reads(64, 128)});
  tracker.add(CommandUnit::store, hw::Command{}, {reads(64, 128)});
  tracker.add(CommandUnit::load, hw::Command{}, {{Memory::weight, {0, 64}, true}});
  tracker.add(CommandUnit::load, hw::Command{}, {writes(128, 129)});
  for (const hw::Command& command : tracker.commands()) EXPECT_EQ(command.wait, 0);
}

TEST(DependencyTracker, WhatAnAwaitedCommandKnewNeedsNoTokenOfItsOwn) {
  DependencyTracker tracker;
  tracker.add(CommandUnit::load, hw::Command{}, {writes(0, 64)});
  tracker.add(CommandUnit::compute, hw::Command{}, {reads(0, 64), writes(64, 128)});
  tracker.add(CommandUnit::store, hw::Command{}, {reads(0, 128)});
  const std::vector<hw::Command>& commands = tracker.commands();
  EXPECT_EQ(commands[2].wait, bit(compute_to_store)) << "the compute command waited for the load";
  tracker.add(CommandUnit::load, hw::Command{}, {writes(0, 128)});
  EXPECT_EQ(tracker.commands()[3].wait, bit(store_to_load)) << "the store waited for the compute";
}

TEST(DependencyTracker, FinishWaitsForTheLastStore) {
  DependencyTracker tracker;
  tracker.add(CommandUnit::store, hw::Command{}, {});
  tracker.add(CommandUnit::store, hw::Command{}, {});
  tracker.add_finish();
  const std::vector<hw::Command>& commands = tracker.commands();
  EXPECT_EQ(commands[0].signal, 0);
  EXPECT_EQ(commands[1].signal, bit(program_done));
  EXPECT_EQ(commands[2].wait, bit(program_done));
  EXPECT_EQ(commands[2].opcode, hw::Opcode::finish);
}

}  // namespace
}  // namespace abacus::schedule
