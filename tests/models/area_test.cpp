#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/area/area_table.hpp"
#include "models/array/array_area.hpp"
#include "models/blocks/accelerator_area.hpp"
#include "models/blocks/blocks.hpp"
#include "sw/experiment/table_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tlm/hardware_fields.hpp"

namespace abacus::models {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path shipped =
    std::filesystem::path(ABACUS_SOURCE_FOLDER) / "scenarios" / "area" / "aladdin-40nm.toml";

const AreaTable& aladdin() {
  static const AreaTable table = experiment::read_area_table(shipped);
  return table;
}

std::vector<hw::ProcessingElementKind> all_kinds() {
  std::vector<hw::ProcessingElementKind> kinds;
  for (const hw::ProcessingElementRow& row : hw::processing_elements) kinds.emplace_back(row.name);
  return kinds;
}

hw::PeArrayConfig array_of(hw::ProcessingElementKind kind, int bits, int rows = 16,
                           int columns = 16) {
  hw::PeArrayConfig array;
  array.kind = kind;
  array.rows = rows;
  array.columns = columns;
  array.weight_bits = array.activation_bits = bits;
  return array;
}

TEST(AreaTable, FollowsTheWidths) {
  EXPECT_DOUBLE_EQ(aladdin().um2(AreaPart::adder, 32), 179);
  EXPECT_DOUBLE_EQ(aladdin().um2(AreaPart::adder, 8), 179 / 4.0);
  EXPECT_DOUBLE_EQ(aladdin().um2(AreaPart::multiplier, 8, 4), 4600 / 32.0);
  EXPECT_DOUBLE_EQ(aladdin().um2(AreaPart::register_bits, 10), 60);
  EXPECT_DOUBLE_EQ(aladdin().um2(AreaPart::memory, 512), 358);
  EXPECT_DOUBLE_EQ(aladdin().um2(AreaPart::memory, 256), 179);
  // Banks by their bytes: the table's own points, and the power law halfway between two of them.
  EXPECT_NEAR(aladdin().um2(AreaPart::sram, 32768), 99646, 1e-6);
  EXPECT_NEAR(aladdin().um2(AreaPart::sram, 16384), std::sqrt(30815.0 * 99646.0), 1e-6);
  EXPECT_TRUE(aladdin().missing().empty());
  for (const auto& [part, points] : aladdin().parts().points()) {
    for (const PartPoint& point : points) EXPECT_FALSE(point.source.empty()) << to_string(part);
  }
}

// Two rows and one column, added up by hand.
TEST(ArrayArea, IsTheSumOfItsParts) {
  const double add = 179 / 32.0;
  const double reg = 6;
  // 8-bit operands, 9-bit taps.
  const ArrayArea adder = array_area(array_of("adder", 8, 2, 1), aladdin());
  EXPECT_NEAR(adder.units, 2 * 2 * 8 * add, 1e-9);
  EXPECT_NEAR(adder.registers, 2 * (8 + 9) * reg + 2 * 8 * reg, 1e-9);
  EXPECT_NEAR(adder.adder_trees, 10 * add + 10 * reg, 1e-9);
  EXPECT_NEAR(adder.accumulators, 24 * add + 24 * reg, 1e-9);
  EXPECT_NEAR(adder.memories, 2 * 358, 1e-9);  // 64 weights of 8 bits each
  // A register of an activation in each lane, not in each row.
  hw::PeArrayConfig packed = array_of("adder", 8, 2, 3);
  packed.dataflow = "packed-windows";
  EXPECT_NEAR(array_area(packed, aladdin()).registers, 6 * (8 + 9) * reg + 6 * 8 * reg, 1e-9);
  const ArrayArea mac = array_area(array_of("mac", 8, 2, 1), aladdin());
  EXPECT_NEAR(mac.units, 2 * 64 * 4600 / 1024.0, 1e-9);
  EXPECT_NEAR(mac.registers, 2 * (8 + 16) * reg + 2 * 8 * reg, 1e-9);
  EXPECT_NEAR(mac.adder_trees, 17 * (add + reg), 1e-9);
  // 4 + 8 bits of window, 13-bit taps; apot's two windows, and 14.
  const ArrayArea shift = array_area(array_of("shift", 4, 2, 1), aladdin());
  EXPECT_NEAR(shift.units, 2 * 12 * 250 / 32.0, 1e-9);
  const ArrayArea apot = array_area(array_of("apot", 4, 2, 1), aladdin());
  EXPECT_NEAR(apot.units, 2 * (2 * 12 * 250 / 32.0 + 14 * add), 1e-9);
  const ArrayArea both = array_area(array_of("shift-add", 4, 2, 1), aladdin());
  EXPECT_NEAR(both.units, shift.units + 2 * 2 * 4 * add, 1e-9);
  // The count of two signs takes 2 bits, its double one more.
  const ArrayArea xnor = array_area(array_of("xnor", 1, 2, 1), aladdin());
  EXPECT_NEAR(xnor.units, 2 * 50 / 32.0, 1e-9);
  EXPECT_NEAR(xnor.adder_trees, 2 * (add + reg) + 3 * add, 1e-9);
}

TEST(ArrayArea, AddersAreSmallerThanMultipliersAndNarrowLanesThanWideOnes) {
  for (const int bits : {4, 8}) {
    EXPECT_LT(array_area(array_of("adder", bits), aladdin()).total(),
              array_area(array_of("mac", bits), aladdin()).total());
  }
  for (const hw::ProcessingElementKind kind : all_kinds()) {
    if (kind == "xnor") continue;
    EXPECT_LT(array_area(array_of(kind, 4), aladdin()).total(),
              array_area(array_of(kind, 5), aladdin()).total())
        << hw::to_string(kind);
  }
}

// A table file without [area.memory] and [area.sram], as they were before.
std::string without_memories() {
  const std::string text = test::read_text(shipped);
  return text.substr(0, text.find("[area.memory]"));
}

TEST(ArrayArea, MemoriesCountWhereTheTableHasThem) {
  const test::TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "with-memory.toml";
  test::write_text(file, without_memories() +
                             "[area.memory]\nlaw = \"width\"\npoints = [ { bits = 1, um2 = 0.5, "
                             "source = \"a test\" } ]\n");
  const AreaTable table = experiment::read_area_table(file);
  EXPECT_THAT(table.missing(), ::testing::ElementsAre("area.sram"));
  hw::PeArrayConfig array = array_of("post", 4, 4, 2);
  array.table.lanes = 2;
  const double weights = 4 * 2 * 64 * 4 * 0.5;
  const double tables = 2 * 2 * (16 * 4) * (4 + 8) * 0.5;
  EXPECT_NEAR(array_area(array, table).memories, weights + tables, 1e-9);
  test::write_text(file, without_memories());
  const AreaTable older = experiment::read_area_table(file);
  EXPECT_THAT(older.missing(), ::testing::ElementsAre("area.memory", "area.sram"));
  EXPECT_EQ(array_area(array, older).memories, 0);
}

hw::HardwareConfig accelerator_of(const hw::PeArrayConfig& array) {
  hw::HardwareConfig hardware;
  hardware.array = array;
  return hardware;
}

double whole(const hw::PeArrayConfig& array) {
  return accelerator_area(accelerator_of(array), aladdin()).total();
}

// Blocks of the preset that are no arrays, added up by hand.
TEST(AcceleratorArea, HasEveryBlock) {
  const hw::HardwareConfig hardware;
  const AcceleratorArea area = accelerator_area(hardware, aladdin());
  EXPECT_NEAR(area.of(Component::pe_array), array_area(hardware.array, aladdin()).total(), 1e-6);
  EXPECT_NEAR(area.of(Component::edge_array), array_area(hardware.edge_array, aladdin()).total(),
              1e-6);
  EXPECT_NEAR(area.of(Component::activation_sram), 4 * 99646, 1e-6);  // 4 banks of 32 KiB
  EXPECT_NEAR(area.of(Component::parameter_sram), 30815, 1e-6);       // one of 8 KiB
  const double add = 179 / 32.0;
  const double shift = 250 / 32.0;
  const double multiply = 4600 / 1024.0;
  const double reg = 6;
  // 16 and 4 scale lanes; 16 columns each.
  EXPECT_NEAR(area.of(Component::scale_unit),
              20 * ((24 * 16 + 16 * 16) * multiply + 3 * 48 * add + 2 * 48 * shift + 64 * reg) +
                  2 * 16 * 64 * reg,
              1e-6);
  EXPECT_NEAR(area.of(Component::vector_unit),
              16 * (2 * 256 * multiply + 2 * 48 * add + 3 * 48 * shift + 48 * reg), 1e-6);
  // Read lanes of both arrays: 48 and 4.
  EXPECT_NEAR(area.of(Component::read_quantizer),
              52 * (256 * multiply + 32 * add + 32 * shift + 32 * reg), 1e-6);
  EXPECT_NEAR(area.of(Component::dma), 2 * (aladdin().um2(AreaPart::memory, 8192) + 64 * reg),
              1e-6);
  EXPECT_GT(area.of(Component::sequencer), 0);
  EXPECT_GT(area.of(Component::step_adapter), 0);
  EXPECT_EQ(area.of(Component::dram), 0);  // no part of the chip
  double sum = 0;
  for (const double component : area.by_component) sum += component;
  EXPECT_NEAR(area.total(), sum, 1e-6);
}

TEST(AcceleratorArea, GrowsWithEverySizeThatABlockHas) {
  const hw::HardwareConfig base;
  const double area = accelerator_area(base, aladdin()).total();
  const auto larger = [&](const char* what, auto change) {
    hw::HardwareConfig hardware = base;
    change(hardware);
    EXPECT_GT(accelerator_area(hardware, aladdin()).total(), area) << what;
  };
  larger("activation SRAM", [](hw::HardwareConfig& h) { h.activation_sram.bytes *= 2; });
  larger("weights of a PE", [](hw::HardwareConfig& h) { h.array.weights_per_pe *= 2; });
  larger("accumulators", [](hw::HardwareConfig& h) { h.array.accumulators *= 2; });
  larger("read lanes", [](hw::HardwareConfig& h) { h.array.read_lanes *= 2; });
  larger("scale lanes", [](hw::HardwareConfig& h) { h.array.scale_lanes *= 2; });
  larger("command queue", [](hw::HardwareConfig& h) { h.command_queue *= 2; });
  larger("bursts under way", [](hw::HardwareConfig& h) { h.load_dma.outstanding *= 2; });
  larger("vector lanes", [](hw::HardwareConfig& h) { h.vector_unit.lanes *= 2; });
  larger("channel sums", [](hw::HardwareConfig& h) { h.step_adapter.channels *= 2; });
  larger("bus", [](hw::HardwareConfig& h) { h.bus.bytes_per_cycle *= 2; });
}

TEST(LargestArray, FillsTheAreaAndNeverPassesIt) {
  for (const hw::ProcessingElementKind other : all_kinds()) {
    for (const hw::ProcessingElementKind kind : all_kinds()) {
      for (const int bits : {4, 8}) {
        const double area = whole(array_of(other, bits));
        const hw::PeArrayConfig found =
            largest_array(accelerator_of(array_of(kind, bits)), aladdin(), area);
        const auto with = [&](int rows, int columns) {
          return whole(array_of(kind, bits, rows, columns));
        };
        const std::string what = hw::to_string(kind) + " as large as " + hw::to_string(other);
        EXPECT_LE(with(found.rows, found.columns), area) << what;
        if (found.columns < hw::most_lanes_a_side) {
          EXPECT_GT(with(16, found.columns + 1), area) << what;
        }
        if (found.rows < hw::most_lanes_a_side) {
          EXPECT_GT(with(found.rows + 1, found.columns), area) << what;
        }
        // Fewer rows only where not even one column fits.
        EXPECT_EQ(found.rows >= 16, with(16, 1) <= area) << what;
      }
    }
  }
  const hw::PeArrayConfig same = array_of("mac", 8, 12, 20);
  const hw::PeArrayConfig found = largest_array(accelerator_of(same), aladdin(), whole(same));
  EXPECT_EQ(found.rows, 12);
  EXPECT_EQ(found.columns, 20);
}

TEST(LargestArray, TakesFewerRowsWhereNoColumnFits) {
  const double area = whole(array_of("mac", 8, 4, 1));
  const hw::PeArrayConfig found =
      largest_array(accelerator_of(array_of("mac", 8)), aladdin(), area);
  EXPECT_EQ(found.columns, 1);
  EXPECT_EQ(found.rows, 4);
  EXPECT_THROW(largest_array(accelerator_of(array_of("mac", 8)), aladdin(), 100.0),
               std::runtime_error);
}

}  // namespace
}  // namespace abacus::models
