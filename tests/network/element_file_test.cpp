#include "sw/network/element_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "sw/reading/node.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::network {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string good =
    "name = \"minus\"\n"
    "taps = \"tables/minus.csv\"\n"
    "weight_bits = 1\n"
    "weight_signed = true\n"
    "activation_bits = 2\n"
    "activation_signed = false\n"
    "tap_bits = 3\n"
    "scales = \"shared\"\n"
    "accumulate = -1\n"
    "energy = { tap_pj = 0.25, source = \"a test\" }\n"
    "area = { lane_um2 = 12, source = \"another test\" }\n";

class ElementFile : public ::testing::Test {
 protected:
  ElementFile() {
    std::filesystem::create_directory(folder_.path() / "tables");
    test::write_text(folder_.path() / "tables" / "minus.csv", "1,2,3,-4\n0,-1,-2,-3\n");
  }
  DescribedElement read(const std::string& text) {
    test::write_text(file_, text);
    return read_element(file_);
  }
  // Of the good description with one text in place of another.
  std::string error(const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    try {
      read(text);
    } catch (const reading::InputError& error) {
      return error.what();
    }
    return "no error";
  }

  test::TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "minus.toml";
};

TEST_F(ElementFile, SaysAllOfAnElement) {
  const DescribedElement element = read(good);
  const hw::ElementTable& table = element.table;
  EXPECT_EQ(table.name, "minus");
  EXPECT_EQ(table.weight_bits, 1);
  EXPECT_TRUE(table.weight_signed);
  EXPECT_EQ(table.activation_bits, 2);
  EXPECT_FALSE(table.activation_signed);
  EXPECT_EQ(table.tap_bits, 3);
  EXPECT_EQ(table.scales, hw::StepRule::shared);
  EXPECT_EQ(table.accumulate, -1);
  EXPECT_THAT(table.taps, ElementsAre(1, 2, 3, -4, 0, -1, -2, -3));
  // Rows and columns stand for ascending codes: weights −1 and 0, activations 0 … 3.
  EXPECT_EQ(table.tap(0, -1), 1);
  EXPECT_EQ(table.tap(3, -1), -4);
  EXPECT_EQ(table.tap(3, 0), -3);
  EXPECT_EQ(element.tap_pj, 0.25);
  EXPECT_EQ(element.energy_source, "a test");
  EXPECT_EQ(element.lane_um2, 12);
  EXPECT_EQ(element.area_source, "another test");
}

TEST_F(ElementFile, IsTheSameElementWhereItComputesTheSame) {
  const DescribedElement element = read(good);
  std::string text = good;
  text.replace(text.find("minus"), 5, "other");
  text.replace(text.find("0.25"), 4, "0.75");
  const DescribedElement renamed = read(text);
  EXPECT_EQ(renamed.sha256, element.sha256);
  EXPECT_TRUE(renamed.table.same_element(element.table));
  for (const auto& [from, to] :
       {std::pair<std::string, std::string>{"tap_bits = 3", "tap_bits = 4"},
        {"scales = \"shared\"", "scales = \"product\""},
        {"accumulate = -1", "accumulate = 1"},
        {"activation_signed = false", "activation_signed = true"}}) {
    std::string changed = good;
    changed.replace(changed.find(from), from.size(), to);
    const DescribedElement other = read(changed);
    EXPECT_NE(other.sha256, element.sha256) << to;
    EXPECT_FALSE(other.table.same_element(element.table)) << to;
  }
  test::write_text(folder_.path() / "tables" / "minus.csv", "1,2,3,-4\n0,-1,-2,-2\n");
  EXPECT_NE(read(good).sha256, element.sha256);
}

TEST_F(ElementFile, BadDescriptionsAreRefusedWithTheirPlace) {
  const std::string file = file_.string();
  EXPECT_THAT(error("weight_bits = 1", "weight_bits = 9"),
              AllOf(StartsWith(file + ":3:15: weight_bits: found 9"), HasSubstr("from 1 to 8")));
  EXPECT_THAT(error("weight_bits = 1", "weight_bits = -1"), HasSubstr("found -1"));
  EXPECT_THAT(
      error("activation_bits = 2", "activation_bits = 0"),
      AllOf(StartsWith(file + ":5:19: activation_bits: found 0"), HasSubstr("from 1 to 8")));
  EXPECT_THAT(error("activation_bits = 2", "activation_bits = 2.5"),
              HasSubstr("found the number 2.5"));
  EXPECT_THAT(error("tap_bits = 3", "tap_bits = 25"),
              AllOf(StartsWith(file + ":7:12: tap_bits: found 25"), HasSubstr("from 1 to 24")));
  EXPECT_THAT(error("scales = \"shared\"", "scales = \"none\""),
              AllOf(StartsWith(file + ":8:10: scales"), HasSubstr("allowed: product, shared")));
  EXPECT_THAT(error("accumulate = -1", "accumulate = 0"),
              AllOf(StartsWith(file + ":9:14: accumulate: found 0"), HasSubstr("allowed: 1, -1")));
  EXPECT_THAT(error("accumulate = -1", "accumulate = 2"), HasSubstr("accumulate: found 2"));
  EXPECT_THAT(error("weight_signed = true", "weight_signed = 1"),
              HasSubstr("weight_signed: found 1; allowed: true or false"));
  EXPECT_THAT(error("tap_pj = 0.25", "tap_pj = nan"), HasSubstr("energy.tap_pj: found"));
  EXPECT_THAT(error("tap_pj = 0.25", "tap_pj = -1"), HasSubstr("energy.tap_pj: found -1"));
  EXPECT_THAT(error(", source = \"a test\"", ""), HasSubstr("energy.source: is missing"));
  EXPECT_THAT(error("lane_um2 = 12", "lane_um2 = inf"), HasSubstr("area.lane_um2: found"));
  EXPECT_THAT(error("source = \"another test\"", "source = \"\""),
              HasSubstr("area.source: found the text \"\""));
  EXPECT_THAT(error("name = \"minus\"\n", ""), HasSubstr("name: is missing"));
  EXPECT_THAT(error("scales", "scale"), HasSubstr("scales: is missing"));
  EXPECT_THAT(error("accumulate = -1\n", "accumulate = -1\nrows = 2\n"),
              HasSubstr("unknown key `rows`"));
}

TEST_F(ElementFile, BadTablesAreRefusedWithTheirPlace) {
  const std::string csv = (folder_.path() / "tables" / "minus.csv").string();
  EXPECT_THAT(error("tap_bits = 3", "tap_bits = 2"),
              AllOf(StartsWith(csv + ":1:3: found \"2\""),
                    HasSubstr("allowed: whole numbers from -2 to 1")));
  EXPECT_THAT(error("weight_bits = 1", "weight_bits = 2"), HasSubstr("allowed: 4 rows of 4"));
  EXPECT_THAT(error("activation_bits = 2", "activation_bits = 3"),
              AllOf(StartsWith(csv + ":1:1: found 4 numbers"), HasSubstr("8 numbers a row")));
  EXPECT_THAT(error("minus.csv", "none.csv"),
              HasSubstr("none.csv: cannot read the file: there is no such file"));
  EXPECT_THAT(error("minus.csv", "minus.txt"), HasSubstr("allowed: .csv, .npy"));
}

}  // namespace
}  // namespace abacus::network
