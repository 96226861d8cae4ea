#include "sw/experiment/table_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/temporary_folder.hpp"

namespace abacus::experiment {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct BadTable {
  const char* action;   // text of the [action…] part, starting at line 4
  const char* message;  // what the error must say
};

class BadEnergyTable : public ::testing::TestWithParam<BadTable> {};

TEST_P(BadEnergyTable, IsRefusedWithItsPlace) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "t.toml";
  test::write_text(
      file, std::string("name = \"t\"\ntitle = \"t\"\ntechnology = \"t\"\n") + GetParam().action);
  try {
    read_energy_table(file);
    FAIL() << "no error";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr(file.string() + ":"));
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, BadEnergyTable,
    ::testing::Values(
        BadTable{"[action.addd]\nlaw = \"constant\"\n",
                 "4:9: unknown key `action.addd`; did you mean `add`?"},
        BadTable{"[action.add]\nlaw = \"cubic\"\n",
                 "5:7: action.add.law: found the text \"cubic\"; allowed: constant, width, "},
        BadTable{"[action.add]\nlaw = \"constant\"\npj = 1\n",
                 "4:1: action.add.source: is missing"},
        BadTable{"[action.add]\nlaw = \"constant\"\npj = -1\nsource = \"s\"\n",
                 "6:6: action.add.pj: found -1; allowed: a number from 0 to 1e+12"},
        BadTable{"[action.add]\nlaw = \"constant\"\npj = \"1\"\nsource = \"s\"\n",
                 "6:6: action.add.pj: found the text \"1\""},
        BadTable{"[action.add]\nlaw = \"width\"\npoints = []\n",
                 "6:10: action.add.points: found a list; allowed: a list with at least one {bits, "
                 "pj, source}"},
        BadTable{"[action.add]\nlaw = \"width\"\npoints = [{bits = 8, pj = 1}]\n",
                 "6:11: action.add.points[0].source: is missing"},
        BadTable{"[action.add]\nlaw = \"width\"\npoints = [{bits = 8, pj = 1, source = \"s\"}, "
                 "{bits = 4, pj = 1, source = \"s\"}]\n",
                 "action.add.points[1]: points must stand in ascending order of `bits`"},
        BadTable{"[action.add]\nlaw = \"width\"\npoints = [{bits = 8, pj = 1, source = \"s\", "
                 "unit = 1}]\n",
                 "unknown key `action.add.points[0].unit`"},
        BadTable{"[action.sram_read]\nlaw = \"capacity\"\naccess_bits = 64\npoints = [{bytes = 8, "
                 "pj = 1, source = \"s\"}]\n",
                 "two points"},
        BadTable{"[action.sram_read]\nlaw = \"capacity\"\naccess_bits = 64\npoints = [{bytes = 8, "
                 "pj = 0, source = \"s\"}]\n",
                 "7:28: action.sram_read.points[0].pj: must be more than 0"},
        BadTable{"[action.sram_read]\nlaw = \"capacity\"\naccess_bits = 1e300\n",
                 "6:15: action.sram_read.access_bits: found"},
        BadTable{"[action.sram_read]\nlaw = \"capacity\"\naccess_bits = 1e10\n",
                 "6:15: action.sram_read.access_bits: found"},
        BadTable{"[action.sram_read]\nlaw = \"capacity\"\naccess_bits = 1.9\n",
                 "6:15: action.sram_read.access_bits: found"},
        BadTable{"[action.sram_read]\nlaw = \"capacity\"\naccess_bits = 0\n",
                 "6:15: action.sram_read.access_bits: found"},
        BadTable{"[action.add]\nlaw = \"multiple\"\nof = \"shift\"\ntimes = 2\nsource = \"s\"\n",
                 "4:1: action.add: is a multiple of `shift`"},
        BadTable{"[action.leakage]\nlaw = \"constant\"\n", "unknown key `action.leakage`"},
        BadTable{"[action.sram_read]\nlaw = \"capacity\"\naccess_bits = 64\nsize = \"row\"\npoints "
                 "= [{bytes = 8, pj = 1, source = \"s\"}, {bytes = 9, pj = 1, source = \"s\"}]\n",
                 "7:8: action.sram_read.size: found the text \"row\"; allowed: memory, bank"},
        BadTable{"[action.sram_read]\nlaw = \"bank\"\npoints = []\n",
                 "at least one {bytes, bits, pj, source}"},
        BadTable{"[action.sram_read]\nlaw = \"bank\"\npoints = [{bytes = 8, bits = 8, pj = 0, "
                 "source = \"s\"}]\n",
                 "pj: must be more than 0"},
        BadTable{"[action.sram_read]\nlaw = \"bank\"\npoints = [{bytes = 8, bits = 8, pj = 1, "
                 "source = \"s\"}, {bytes = 8, bits = 8, pj = 1, source = \"s\"}]\n",
                 "points[1]: points must give each of the `bytes` with each of the `bits`"},
        BadTable{
            "[action.sram_read]\nlaw = \"bank\"\npoints = [{bytes = 8, bits = 8, pj = 1, "
            "source = \"s\"}, {bytes = 8, bits = 9, pj = 1, source = \"s\"}, {bytes = 9, bits = "
            "8, pj = 1, source = \"s\"}]\n",
            "the last capacity lacks widths"},
        BadTable{"[action.add]\nlaw = \"constant\"\npj = 1\nsource = \"s\"\n[leakage.adders]\n",
                 "unknown key `leakage.adders`; did you mean `adder`?"},
        BadTable{"[action.add]\nlaw = \"constant\"\npj = 1\nsource = \"s\"\n[leakage.sram]\nlaw = "
                 "\"width\"\npoints = []\n",
                 "leakage.sram.law: found the text \"width\"; allowed: capacity"},
        BadTable{"[action.add]\nlaw = \"constant\"\npj = 1\nsource = \"s\"\n[leakage.adder]\nlaw = "
                 "\"width\"\npoints = [{bits = 8, uw = -1, source = \"s\"}]\n",
                 "leakage.adder.points[0].uw: found -1; allowed: a number from 0"},
        BadTable{"[action.add]\nlaw = \n", "5:"},
        BadTable{"unit = 1\n[action]\n", "unknown key `unit`"},
        BadTable{"", "action: is missing; allowed: a table"}));

TEST(EnergyTable, MissingFileIsAnErrorThatNamesIt) {
  try {
    read_energy_table("/nowhere/table.toml");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/table.toml"));
  }
}

std::string error_of(const std::string& text) {
  const test::TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "t.toml";
  test::write_text(file, text);
  try {
    read_area_table(file);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no error";
}

TEST(AreaTable, MistakesAreRefusedWithTheirPlace) {
  const std::string head = "name = \"t\"\ntitle = \"t\"\ntechnology = \"t\"\n";
  const std::string good = "law = \"width\"\npoints = [ { bits = 8, um2 = 1, source = \"s\" } ]\n";
  EXPECT_THAT(error_of(head + "[area.adder]\n" + good),
              AllOf(HasSubstr("t.toml:4:"), HasSubstr("[area.multiplier] is missing")));
  EXPECT_THAT(error_of(head + "[area.divider]\n" + good),
              AllOf(HasSubstr("t.toml:4:7"), HasSubstr("unknown key `area.divider`")));
  EXPECT_THAT(error_of(head + "[area.multiplier]\n" + good),
              AllOf(HasSubstr("t.toml:5:7"),
                    HasSubstr("found the text \"width\"; allowed: width-product")));
  EXPECT_THAT(
      error_of(head + "[area.adder]\nlaw = \"width\"\npoints = [ { bits = 8, um2 = 1 } ]\n"),
      AllOf(HasSubstr("t.toml:6:"), HasSubstr("area.adder.points[0].source: is missing")));
  EXPECT_THAT(error_of(head + "[area.adder]\nlaw = \"width\"\npoints = []\n"),
              HasSubstr("at least one"));
  EXPECT_THAT(error_of(head + "[area.adder]\nlaw = \"width\"\npoints = [ { bits = 8, um2 = -1, "
                              "source = \"s\" } ]\n"),
              HasSubstr("points[0].um2: found -1; allowed: a number from 0 to 1e+12"));
  EXPECT_THAT(
      error_of(head +
               "[area.adder]\nlaw = \"width\"\npoints = [ { bits = 8, um2 = 1, source = \"s\" "
               "}, { bits = 8, um2 = 2, source = \"s\" } ]\n"),
      HasSubstr("ascending order"));
  EXPECT_THAT(error_of(head), HasSubstr("area: is missing"));
  EXPECT_THAT(error_of("name ="), HasSubstr("t.toml:1:"));
}

}  // namespace
}  // namespace abacus::experiment
