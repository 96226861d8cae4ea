#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/area/area_table.hpp"
#include "models/array/array_area.hpp"
#include "sw/experiment/table_files.hpp"
#include "tests/support/temporary_folder.hpp"

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
  EXPECT_DOUBLE_EQ(aladdin().um2(AreaPart::memory, 100), 0);
  EXPECT_FALSE(aladdin().has_memory());
  for (const auto& [part, points] : aladdin().entries()) {
    for (const AreaPoint& point : points) EXPECT_FALSE(point.source.empty()) << to_string(part);
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
  EXPECT_EQ(adder.memories, 0);
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

TEST(ArrayArea, MemoriesCountWhereTheTableHasThem) {
  const test::TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "with-memory.toml";
  test::write_text(file, test::read_text(shipped) +
                             "[area.memory]\nlaw = \"width\"\npoints = [ { bits = 1, um2 = 0.5, "
                             "source = \"a test\" } ]\n");
  const AreaTable table = experiment::read_area_table(file);
  hw::PeArrayConfig array = array_of("post", 4, 4, 2);
  array.table.lanes = 2;
  const double weights = 4 * 2 * 64 * 4 * 0.5;
  const double tables = 2 * 2 * (16 * 4) * (4 + 8) * 0.5;
  EXPECT_NEAR(array_area(array, table).memories, weights + tables, 1e-9);
  EXPECT_GT(array_area(array, table).total(), array_area(array, aladdin()).total());
}

TEST(LargestArray, FillsTheAreaAndNeverPassesIt) {
  for (const hw::ProcessingElementKind other : all_kinds()) {
    for (const hw::ProcessingElementKind kind : all_kinds()) {
      for (const int bits : {2, 4, 8}) {
        const double area = array_area(array_of(other, bits), aladdin()).total();
        const hw::PeArrayConfig found = largest_array(array_of(kind, bits), aladdin(), area);
        const auto with = [&](int rows, int columns) {
          return array_area(array_of(kind, bits, rows, columns), aladdin()).total();
        };
        const std::string what = hw::to_string(kind) + " as large as " + hw::to_string(other);
        EXPECT_LE(with(found.rows, found.columns), area) << what;
        EXPECT_GT(with(16, found.columns + 1), area) << what;
        EXPECT_GT(with(found.rows + 1, found.columns), area) << what;
        EXPECT_GE(found.rows, 16) << what;
      }
    }
  }
  const hw::PeArrayConfig same = array_of("mac", 8, 12, 20);
  const hw::PeArrayConfig found =
      largest_array(same, aladdin(), array_area(same, aladdin()).total());
  EXPECT_EQ(found.rows, 12);
  EXPECT_EQ(found.columns, 20);
}

TEST(LargestArray, TakesFewerRowsWhereNoColumnFits) {
  const double area = array_area(array_of("adder", 8, 8, 1), aladdin()).total();
  const hw::PeArrayConfig found = largest_array(array_of("mac", 8), aladdin(), area);
  EXPECT_EQ(found.columns, 1);
  EXPECT_LT(found.rows, 8);
  EXPECT_GT(array_area(array_of("mac", 8, found.rows + 1, 1), aladdin()).total(), area);
  EXPECT_THROW(largest_array(array_of("mac", 8), aladdin(), 100.0), std::runtime_error);
}

}  // namespace
}  // namespace abacus::models
