// abacus regress as people and CI meet it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sw/support/child_process.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::regress {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

class Regress : public ::testing::Test {
 protected:
  Regress() {
    ::unsetenv("CI");
    test::write_text(in("s.toml"),
                     "network = \"lenet\"\narithmetic = \"adder\"\nweights = \"synthetic\"\n"
                     "image = [1, 28, 28]\nclasses = 10\ntimed_images = 1\n");
    test::write_text(in("suite.toml"),
                     "[[case]]\nname = \"one\"\nscenario = \"s.toml\"\n"
                     "[[case]]\nname = \"two\"\nscenario = \"s.toml\"\ntier = \"full\"\n"
                     "set = [\"hardware.array.rows=8\"]\n");
  }
  ~Regress() override { ::unsetenv("CI"); }
  std::filesystem::path in(const std::string& name) const { return folder_.path() / name; }
  support::ProgramOutput says(Words more) const {
    Words words = {"regress", in("suite.toml").string()};
    words.insert(words.end(), more.begin(), more.end());
    return support::capture_program(ABACUS_PROGRAM, words);
  }
  void make_goldens() const {
    ASSERT_EQ(says({"--update=one", "--update=two", "--reason=first"}).status, 0);
  }

  test::TemporaryFolder folder_;
};

TEST_F(Regress, AChangedLatencyIsCaughtAndNamed) {
  const support::ProgramOutput without = says({});
  EXPECT_EQ(without.status, 3);
  EXPECT_THAT(without.err, HasSubstr("one.json: there is no golden file"));
  make_goldens();
  const support::ProgramOutput same = says({"--jobs=2"});
  EXPECT_EQ(same.status, 0) << same.out << same.err;
  EXPECT_THAT(same.out, HasSubstr("2 of 2 cases the same"));

  test::write_text(in("s.toml"), test::read_text(in("s.toml")) + "hardware.dram.t_rp = 100.0\n");
  const support::ProgramOutput differs = says({"--junit=" + in("j.xml").string()});
  EXPECT_EQ(differs.status, 1);
  EXPECT_THAT(differs.out, AllOf(HasSubstr("differs  one"), HasSubstr("cycles_per_image"),
                                 HasSubstr("first layer: conv1, cycles: "),
                                 HasSubstr("first component: "), HasSubstr("0 of 2 cases")));
  boost::property_tree::ptree tree;
  boost::property_tree::read_xml(in("j.xml").string(), tree);
  const auto& suite = tree.get_child("testsuites.testsuite");
  EXPECT_EQ(suite.get<int>("<xmlattr>.tests"), 2);
  EXPECT_EQ(suite.get<int>("<xmlattr>.failures"), 2);
  EXPECT_EQ(suite.get<int>("<xmlattr>.errors"), 0);
  EXPECT_EQ(suite.get<std::string>("testcase.<xmlattr>.name"), "one");
  EXPECT_THAT(suite.get<std::string>("testcase.failure"), HasSubstr("cycles_per_image"));
  const support::ProgramOutput json = says({"--json", "-k", "tw"});
  EXPECT_EQ(json.status, 1);
  const auto told = nlohmann::json::parse(json.out);
  ASSERT_EQ(told["cases"].size(), 1U);
  EXPECT_EQ(told["cases"][0]["status"], "differs");
  EXPECT_FALSE(told["cases"][0]["mismatches"].empty());
}

TEST_F(Regress, ARunThatCrashesIsNoDifference) {
  make_goldens();
  test::write_text(in("s.toml"),
                   test::read_text(in("s.toml")) + "hardware.activation_sram.bytes = 64\n");
  const support::ProgramOutput said = says({"--tier=smoke", "--junit=" + in("j.xml").string()});
  EXPECT_EQ(said.status, 2);
  EXPECT_THAT(said.out, AllOf(HasSubstr("crashed  one"), HasSubstr("status 1")));
  EXPECT_THAT(test::read_text(in("j.xml")), HasSubstr("<error message="));
  EXPECT_EQ(says({"--update=one", "--reason=x"}).status, 2);
}

TEST_F(Regress, AnUpdateRewritesNamedGoldensAloneAndRecordsWhy) {
  make_goldens();
  const std::string one = test::read_text(in("goldens/one.json"));
  const std::string two = test::read_text(in("goldens/two.json"));
  EXPECT_THAT(says({"--update=one", "--reason=again"}).out, HasSubstr("unchanged  one"));
  EXPECT_EQ(test::read_text(in("goldens/one.json")), one);
  test::write_text(in("s.toml"), test::read_text(in("s.toml")) + "hardware.dram.t_rp = 100.0\n");
  const support::ProgramOutput said = says({"--update=one", "--reason=slower rows"});
  EXPECT_EQ(said.status, 0);
  EXPECT_THAT(said.out, AllOf(HasSubstr("updated    one"), HasSubstr("cycles_per_image")));
  const auto now = nlohmann::json::parse(test::read_text(in("goldens/one.json")));
  EXPECT_EQ(now["reasons"], nlohmann::json({"first", "slower rows"}));
  EXPECT_EQ(test::read_text(in("goldens/two.json")), two);
  EXPECT_EQ(says({"-k", "one"}).status, 0);
  EXPECT_EQ(says({"-k", "two"}).status, 1);
}

TEST_F(Regress, UpdatesNeedAReasonAndNoCi) {
  EXPECT_THAT(says({"--update=one"}).err, HasSubstr("give --reason TEXT"));
  EXPECT_THAT(says({"--update=on", "--reason=x"}).err, HasSubstr("did you mean one?"));
  ::setenv("CI", "true", 1);
  const support::ProgramOutput refused = says({"--update=one", "--reason=x"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_THAT(refused.err, HasSubstr("goldens are not changed where CI is set"));
  EXPECT_FALSE(std::filesystem::exists(in("goldens")));
}

TEST_F(Regress, WhatIsWrongWithTheSuiteEndsWithStatusThree) {
  make_goldens();
  EXPECT_EQ(says({"-k", "nothing"}).status, 3);
  EXPECT_EQ(says({"--tier=slow"}).status, 3);
  EXPECT_EQ(says({"--reason=x"}).status, 3);
  EXPECT_EQ(says({"--update=one", "--reason=x", "--json"}).status, 3);
  test::write_text(in("goldens/one.json"), "{");
  EXPECT_EQ(says({}).status, 3);
  test::write_text(in("suite.toml"), "case = 5\n");
  EXPECT_EQ(says({}).status, 3);
}

}  // namespace
}  // namespace abacus::regress
