#include "models/energy/energy_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <stdexcept>

#include "sw/experiment/table_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::models {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path shipped =
    std::filesystem::path(ABACUS_SOURCE_FOLDER) / "scenarios" / "energy";

double horowitz(Action action, int bits_a, int bits_b = 0,
                Component component = Component::pe_array) {
  static const EnergyTable table = experiment::read_energy_table(shipped / "horowitz-45nm.toml");
  return table.picojoules({0, component, action, bits_a, bits_b}, hw::HardwareConfig{});
}

TEST(HorowitzTable, AddsFollowTheWidthInStraightLines) {
  EXPECT_DOUBLE_EQ(horowitz(Action::add, 8), 0.03);
  EXPECT_DOUBLE_EQ(horowitz(Action::add, 32), 0.1);
  // 8 → 32 bits: 0.07 pJ over 24 bits; 24 bits lie 16 of them along.
  EXPECT_DOUBLE_EQ(horowitz(Action::add, 24), 0.03 + 0.07 * 16 / 24);
  EXPECT_DOUBLE_EQ(horowitz(Action::add, 4), 0.015);  // proportional below the first point
  EXPECT_DOUBLE_EQ(horowitz(Action::add, 64), 0.2);   // and above the last
}

TEST(HorowitzTable, AbsoluteDifferenceIsTwoAdditions) {
  EXPECT_DOUBLE_EQ(horowitz(Action::absolute_difference, 8), 0.06);
  EXPECT_DOUBLE_EQ(horowitz(Action::absolute_difference, 4), 0.03);
}

// Aladdin's bitwise operator, 32 bits for 0.018 pJ; additions shrink with their width.
TEST(EveryShippedTable, BinaryTapIsAThirtySecondOfABitwiseOperator) {
  for (const auto& file : std::filesystem::directory_iterator(shipped)) {
    const EnergyTable table = experiment::read_energy_table(file.path());
    const auto one = [&](Action action, int bits) {
      return table.picojoules({0, Component::pe_array, action, bits, 0}, hw::HardwareConfig{});
    };
    EXPECT_DOUBLE_EQ(one(Action::xnor, 1), 0.018 / 32) << file.path();
    EXPECT_DOUBLE_EQ(one(Action::add, 2), 2 * one(Action::add, 1)) << file.path();
    EXPECT_LT(one(Action::xnor, 1), one(Action::add, 1)) << file.path();
  }
}

TEST(HorowitzTable, MultipliesFollowTheProductOfTheWidths) {
  EXPECT_DOUBLE_EQ(horowitz(Action::multiply, 8, 8), 0.2);
  EXPECT_DOUBLE_EQ(horowitz(Action::multiply, 4, 4), 0.05);
  EXPECT_DOUBLE_EQ(horowitz(Action::multiply, 8, 4), 0.1);
  EXPECT_DOUBLE_EQ(horowitz(Action::multiply, 32, 32), 3.1);
  // 64 → 1024 bit²: 2.9 pJ over 960; 16 × 16 = 256 lies 192 along.
  EXPECT_DOUBLE_EQ(horowitz(Action::multiply, 16, 16), 0.2 + 2.9 * 192 / 960);
}

TEST(HorowitzTable, MemoriesFollowTheirCapacity) {
  // 128 KiB: between 32 KB (20 pJ) and 1 MB (100 pJ), 2 of 5 doublings along; four 64-bit words.
  EXPECT_NEAR(horowitz(Action::sram_read, 256, 0, Component::activation_sram),
              4 * 20 * std::pow(5.0, 2.0 / 5.0), 1e-9);
  // 8 KiB: the table's own point.
  EXPECT_NEAR(horowitz(Action::sram_write, 128, 0, Component::parameter_sram), 20, 1e-9);
}

TEST(HorowitzTable, MemoryActionOfAComponentThatIsNoMemoryIsAnError) {
  EXPECT_THROW(horowitz(Action::sram_read, 64, 0, Component::bus), std::runtime_error);
}

TEST(HorowitzTable, LookupTablesFollowTheirWordsAndEntries) {
  // 8 KiB, the table's own point: 4096 words of 16 bits.
  EXPECT_NEAR(horowitz(Action::table_read, 16, 4096), 10 * 16.0 / 64, 1e-9);
  // Four doublings below, half as much for each two of them.
  EXPECT_NEAR(horowitz(Action::table_read, 16, 256), 2.5 * 16 / 64, 1e-9);
  EXPECT_GT(horowitz(Action::table_read, 16, 1024), horowitz(Action::multiply, 8, 8));
}

TEST(HorowitzTable, BuffersFollowTheirSize) {
  // 64 weights of 8 bits: 64 bytes, seven doublings below 8 KiB.
  EXPECT_NEAR(horowitz(Action::buffer_read, 8, 64), 10 / std::pow(2.0, 3.5) * 8 / 64, 1e-9);
  EXPECT_NEAR(horowitz(Action::buffer_write, 8, 1024), 10 / std::pow(2.0, 1.5) * 8 / 64, 1e-9);
}

TEST(HorowitzTable, DramAndBus) {
  EXPECT_DOUBLE_EQ(horowitz(Action::dram_read, 128, 0, Component::dram), 2600);
  EXPECT_DOUBLE_EQ(horowitz(Action::dram_write, 64, 0, Component::dram), 1300);
  EXPECT_DOUBLE_EQ(horowitz(Action::dram_activate, 0, 0, Component::dram), 1300);
  EXPECT_DOUBLE_EQ(horowitz(Action::bus_beat, 64, 0, Component::bus), 29.6);
}

TEST(ShiftAddTable, PinsThePapersUnitEnergies) {
  const EnergyTable table = experiment::read_energy_table(shipped / "shiftadd-papers.toml");
  const auto one = [&](Action action, int a, int b, Component component) {
    return table.picojoules({0, component, action, a, b}, hw::HardwareConfig{});
  };
  EXPECT_DOUBLE_EQ(one(Action::add, 8, 0, Component::pe_array), 0.03);
  EXPECT_DOUBLE_EQ(one(Action::absolute_difference, 8, 0, Component::pe_array), 0.03);
  EXPECT_DOUBLE_EQ(one(Action::shift, 8, 0, Component::pe_array), 0.024);
  EXPECT_DOUBLE_EQ(one(Action::multiply, 32, 32, Component::pe_array), 3.7);
  EXPECT_DOUBLE_EQ(one(Action::sram_read, 64, 0, Component::weight_sram), 4 * 22.2);
  EXPECT_DOUBLE_EQ(one(Action::dram_read, 16, 0, Component::dram), 200);
  // The papers' register file is the PEs' buffer, whatever its size, and no flip-flop.
  EXPECT_DOUBLE_EQ(one(Action::buffer_read, 16, 64, Component::pe_array), 3.7);
  EXPECT_DOUBLE_EQ(one(Action::buffer_write, 8, 1024, Component::pe_array), 3.7 / 2);
  EXPECT_DOUBLE_EQ(one(Action::register_write, 24, 0, Component::pe_array), 24 * 0.009);
}

TEST(AccelergyTable, PinsThePlugInsFigures) {
  const EnergyTable table = experiment::read_energy_table(shipped / "accelergy-40nm.toml");
  const auto one = [&](Action action, int a, int b) {
    return table.picojoules({0, Component::pe_array, action, a, b}, hw::HardwareConfig{});
  };
  EXPECT_DOUBLE_EQ(one(Action::add, 32, 0), 0.0857);
  EXPECT_DOUBLE_EQ(one(Action::multiply, 8, 8), 8.63 / 16);
  EXPECT_DOUBLE_EQ(one(Action::register_write, 24, 0), 24 * 0.009);
}

TEST(ShippedTables, KnowEveryActionAndNameASourceForEveryNumber) {
  int tables = 0;
  for (const auto& file : std::filesystem::directory_iterator(shipped)) {
    ++tables;
    const EnergyTable table = experiment::read_energy_table(file.path());
    EXPECT_EQ(table.name(), file.path().stem().string());
    // All but the tap of a described element, which its own file prices.
    EXPECT_EQ(table.entries().size(), static_cast<std::size_t>(action_count - 1)) << file.path();
    for (const auto& [action, entry] : table.entries()) {
      if (entry.law == EnergyLaw::multiple) {
        EXPECT_NE(entry.source, "") << to_string(action);
      }
      for (const EnergyPoint& point : entry.points) {
        EXPECT_NE(point.source, "") << to_string(action);
      }
    }
  }
  EXPECT_GE(tables, 3);
}

TEST(EnergyTable, MissingActionNamesTableAndAction) {
  const test::TemporaryFolder folder;
  test::write_text(folder.path() / "t.toml", R"(
name = "sparse"
title = "T"
technology = "x"
[action.add]
law = "constant"
pj = 1
source = "s"
)");
  const EnergyTable table = experiment::read_energy_table(folder.path() / "t.toml");
  EXPECT_EQ(table.picojoules({0, Component::pe_array, Action::add, 8, 0}, {}), 1);
  try {
    table.picojoules({0, Component::edge_array, Action::multiply, 8, 8}, {});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("sparse"));
    EXPECT_THAT(error.what(), HasSubstr("`multiply`"));
    EXPECT_THAT(error.what(), HasSubstr("edge_array"));
  }
}

}  // namespace
}  // namespace abacus::models
