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
  // 128 KiB in 4 banks: the table's own point of 32 KB; four 64-bit words.
  EXPECT_NEAR(horowitz(Action::sram_read, 256, 0, Component::activation_sram), 4 * 20, 1e-9);
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
    // All but the tap of a described element, which its own file prices, and leakage, by parts.
    EXPECT_EQ(table.entries().size(), static_cast<std::size_t>(action_count - 2)) << file.path();
    EXPECT_TRUE(table.missing().empty()) << file.path();
    for (const auto& [part, points] : table.leakage().points()) {
      for (const PartPoint& point : points) EXPECT_NE(point.source, "") << to_string(part);
    }
    for (const auto& [action, entry] : table.entries()) {
      if (entry.law == EnergyLaw::multiple) {
        EXPECT_NE(entry.source, "") << to_string(action);
      }
      for (const EnergyPoint& point : entry.points) {
        EXPECT_NE(point.source, "") << to_string(action);
      }
    }
  }
  EXPECT_GE(tables, 4);
}

// The currents of the data sheet times 1.35 V, worked out by hand.
TEST(DatasheetTable, TakesTheDramFromItsCurrents) {
  const EnergyTable table = experiment::read_energy_table(shipped / "datasheet-45nm.toml");
  const auto one = [&](Action action, int bits = 128) {
    return table.picojoules({0, Component::dram, action, bits, 0}, hw::HardwareConfig{});
  };
  EXPECT_NEAR(one(Action::dram_read), (135 - 37) * 1.35 * 5, 0.1);
  EXPECT_NEAR(one(Action::dram_write), (146 - 37) * 1.35 * 5, 0.1);
  EXPECT_NEAR(one(Action::dram_activate), (49 * 48.75 - 37 * 35 - 23 * 13.75) * 1.35, 0.1);
  EXPECT_NEAR(one(Action::dram_refresh), (160 - 37) * 1.35 * 160, 0.1);
  EXPECT_NEAR(one(Action::dram_active_standby), 37 * 1.35, 0.01);
  EXPECT_NEAR(one(Action::dram_precharge_standby), 23 * 1.35, 0.01);
  EXPECT_NEAR(one(Action::dram_read_io), 20 * 1350 * 1350 / 4.0 / 94 / 1000 * 5, 1);
}

TEST(DatasheetTable, PricesSramsByBankAndWidth) {
  const EnergyTable table = experiment::read_energy_table(shipped / "datasheet-45nm.toml");
  hw::HardwareConfig hardware;
  const auto read = [&](std::uint32_t bytes, int banks, int bits) {
    hardware.activation_sram = {bytes, banks, bits / 8, 1};
    return table.picojoules({0, Component::activation_sram, Action::sram_read, bits, 0}, hardware);
  };
  // The table's own points; four banks of a size cost an access what one costs.
  EXPECT_NEAR(read(32768, 1, 256), 10.4, 1e-9);
  EXPECT_NEAR(read(4 * 32768, 4, 256), 10.4, 1e-9);
  EXPECT_NEAR(read(524288, 1, 512), 67.6, 1e-9);
  // Halfway between two widths and two capacities on logarithmic scales.
  EXPECT_NEAR(read(32768, 1, 128), 3.95 * std::pow(10.4 / 3.95, 0.5), 1e-9);
  EXPECT_NEAR(read(65536, 1, 64), std::sqrt(3.95 * 8.13), 1e-9);
  // A wide access costs less than the narrow ones that it replaces.
  EXPECT_LT(read(32768, 1, 256), 4 * read(32768, 1, 64));
}

double leakage(const EnergyTable& table, Component component, const hw::HardwareConfig& hardware) {
  return table.picojoules({-1, component, Action::leakage, 0, 0}, hardware);
}

TEST(EveryShippedTable, MoreMemoryAndMoreLanesLeakMore) {
  for (const auto& file : std::filesystem::directory_iterator(shipped)) {
    const EnergyTable table = experiment::read_energy_table(file.path());
    hw::HardwareConfig hardware;
    double before = 0;
    for (std::uint32_t bytes = 4096; bytes <= 8u << 20; bytes *= 2) {
      hardware.activation_sram.bytes = bytes;
      const double now = leakage(table, Component::activation_sram, hardware);
      EXPECT_GT(now, before) << file.path() << ' ' << bytes;
      before = now;
    }
    before = 0;
    for (int columns = 1; columns <= 64; columns *= 2) {
      hardware.array.columns = columns;
      const double now = leakage(table, Component::pe_array, hardware);
      EXPECT_GT(now, before) << file.path() << ' ' << columns;
      before = now;
    }
  }
}

// One lane, in µW: two adders of 8 bits; registers of 8 + 9, 8 and 24 bits; the accumulator's adder; a
// buffer of 64 weights of 8 bits.
TEST(HorowitzTable, LeakageIsThatOfTheParts) {
  static const EnergyTable table = experiment::read_energy_table(shipped / "horowitz-45nm.toml");
  hw::HardwareConfig hardware;
  hardware.array.rows = hardware.array.columns = 1;
  hardware.array.accumulators = 1;
  EXPECT_NEAR(leakage(table, Component::pe_array, hardware),
              1e-3 * (2 * 8 * 2.4 / 32 + (17 + 8 + 24) * 0.07 + 24 * 2.4 / 32 + 13.0), 1e-9);
  EXPECT_NEAR(leakage(table, Component::activation_sram, hardware), 4 * 1.543, 1e-9);
}

TEST(EnergyTable, OlderTablesNameWhatTheyLackAndCountItAsZeroWhenAsked) {
  const test::TemporaryFolder folder;
  std::string text = test::read_text(shipped / "horowitz-45nm.toml");
  text = text.substr(0, text.find("[action.dram_read_io]"));
  test::write_text(folder.path() / "t.toml", text);
  const EnergyTable table = experiment::read_energy_table(folder.path() / "t.toml");
  EXPECT_THAT(table.missing(),
              ::testing::IsSupersetOf(
                  {"leakage.adder", "leakage.sram", "action.dram_refresh", "action.clock_cycle"}));
  const Activity::Key leaks = {-1, Component::weight_sram, Action::leakage, 0, 0};
  const Activity::Key refresh = {-1, Component::dram, Action::dram_refresh, 0, 0};
  EXPECT_THROW(table.picojoules(leaks, {}), std::runtime_error);
  EXPECT_THROW(table.picojoules(refresh, {}), std::runtime_error);
  const EnergyTable zeros = table.with_zeros();
  EXPECT_TRUE(zeros.missing().empty());
  EXPECT_EQ(zeros.picojoules(leaks, {}), 0);
  EXPECT_EQ(zeros.picojoules(refresh, {}), 0);
  EXPECT_EQ(zeros.picojoules({0, Component::dram, Action::dram_activate, 0, 0}, {}), 1300);
}

TEST(EnergyTable, EveryPriceOfTimeMayBeZero) {
  const test::TemporaryFolder folder;
  test::write_text(folder.path() / "t.toml", R"(
name = "free"
title = "T"
technology = "x"
[action.dram_refresh]
law = "constant"
pj = 0
source = "s"
[leakage.sram]
law = "capacity"
points = [ { bytes = 1024, uw = 0, source = "s" }, { bytes = 2048, uw = 0, source = "s" } ]
)");
  const EnergyTable table = experiment::read_energy_table(folder.path() / "t.toml");
  EXPECT_EQ(leakage(table, Component::weight_sram, {}), 0);
  EXPECT_EQ(table.picojoules({-1, Component::dram, Action::dram_refresh, 0, 0}, {}), 0);
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
