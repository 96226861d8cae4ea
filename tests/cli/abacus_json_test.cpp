// What the commands of abacus answer with --json.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sw/support/child_process.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

Json ask(std::vector<std::string> arguments) {
  arguments.push_back("--json");
  const support::ProgramOutput output = support::capture_program(ABACUS_PROGRAM, arguments);
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_EQ(output.out.find('\n'), output.out.size() - 1) << "one line";
  const Json answer = Json::parse(output.out);
  EXPECT_EQ(answer.at("command"), arguments.front());
  EXPECT_EQ(answer.at("schema"), 1);
  return answer;
}

TEST(AbacusJson, DescribeHasTheColumnsOfTheCsvFile) {
  const test::TemporaryFolder folder;
  const std::string csv = (folder.path() / "layers.csv").string();
  const std::vector<std::string> describe = {"describe", "--network", "resnet20", "--dataset",
                                             "cifar10"};
  std::vector<std::string> as_csv = describe;
  as_csv.insert(as_csv.end(), {"--csv", csv});
  ASSERT_EQ(support::capture_program(ABACUS_PROGRAM, as_csv).status, 0);
  const Json answer = ask(describe);
  EXPECT_EQ(answer.at("network"), "resnet20");
  EXPECT_EQ(answer.at("arithmetic"), "cnn");
  const auto line = [](const Json& layer, const std::vector<std::string>& columns) {
    std::string text;
    for (const std::string& column : columns) {
      const Json& value = layer.at(column);
      if (!text.empty()) text += ',';
      if (value.is_string()) text += value.get<std::string>();
      if (value.is_number()) text += value.dump();
    }
    return text + '\n';
  };
  const std::string text = test::read_text(csv);
  std::vector<std::string> columns(1);
  for (const char c : text.substr(0, text.find('\n'))) {
    if (c == ',') {
      columns.emplace_back();
    } else {
      columns.back() += c;
    }
  }
  std::string lines = text.substr(0, text.find('\n') + 1);
  for (const Json& layer : answer.at("layers")) {
    EXPECT_EQ(layer.size(), columns.size());
    lines += line(layer, columns);
  }
  EXPECT_EQ(lines + line(answer.at("total"), columns), text);

  as_csv.push_back("--json");
  const support::ProgramOutput both = support::capture_program(ABACUS_PROGRAM, as_csv);
  EXPECT_NE(both.status, 0);
  EXPECT_THAT(both.err, AllOf(HasSubstr("--json"), HasSubstr("--csv")));
}

TEST(AbacusJson, ExplainSaysWhatWasChosenForEachLayerAndWhatNot) {
  const test::TemporaryFolder folder;
  const std::string scenario = (folder.path() / "s.toml").string();
  test::write_text(scenario,
                   "network = \"resnet20\"\narithmetic = \"adder\"\nweights = \"synthetic\"\n"
                   "image = [3, 32, 32]\nclasses = 10\n"
                   "[[run]]\nname = \"a\"\n[[run]]\nname = \"b\"\n"
                   "hardware.activation_sram.bytes = 16384\n");
  const Json answer = ask({"explain", scenario});
  ASSERT_EQ(answer.at("runs").size(), 2u);
  double cycles = 0;
  for (const Json& layer : answer.at("runs")[0].at("layers")) {
    cycles += layer.at("chosen").at("cycles").get<double>();
    EXPECT_THAT(layer.at("limit").get<std::string>(), ::testing::Not(::testing::IsEmpty()));
  }
  EXPECT_EQ(cycles, answer.at("runs")[0].at("cycles").get<double>());
  const Json& first = answer.at("runs")[0].at("layers")[0];
  EXPECT_EQ(first.at("unit"), "edge array");
  EXPECT_EQ(first.at("input"), "from DRAM, once");
  EXPECT_EQ(first.at("output"), "on chip");
  EXPECT_TRUE(first.at("residual").is_null());
  EXPECT_TRUE(first.at("next_best").is_object());
  EXPECT_GT(answer.at("runs")[1].at("bytes"), answer.at("runs")[0].at("bytes"))
      << "less room on chip";

  const Json one = ask({"explain", scenario, "--run", "b", "--layer", "layer1.0.conv2"});
  ASSERT_EQ(one.at("runs").size(), 1u);
  ASSERT_EQ(one.at("runs")[0].at("layers").size(), 1u);
  EXPECT_TRUE(one.at("runs")[0].at("layers")[0].at("residual").is_string());

  const support::ProgramOutput no_layer =
      support::capture_program(ABACUS_PROGRAM, {"explain", scenario, "--layer", "layer9"});
  EXPECT_EQ(no_layer.status, 1);
  EXPECT_THAT(no_layer.err, AllOf(HasSubstr("no layer \"layer9\""), HasSubstr("layer1.0.conv2")));
  EXPECT_EQ(no_layer.out, "");
  const support::ProgramOutput no_run =
      support::capture_program(ABACUS_PROGRAM, {"explain", scenario, "--run", "c"});
  EXPECT_EQ(no_run.status, 1);
  EXPECT_THAT(no_run.err, AllOf(HasSubstr("no run \"c\""), HasSubstr("a, b")));
}

// A shift-add network's layers have names of their own: runs without the layer say nothing of it.
TEST(AbacusJson, ExplainsALayerOfTheRunsThatHaveIt) {
  const test::TemporaryFolder folder;
  const std::string scenario = folder.path() / "s.toml";
  test::write_text(scenario,
                   "network = \"resnet20\"\nweights = \"synthetic\"\nimage = [3, 32, 32]\n"
                   "classes = 10\ntimed_images = 1\n"
                   "[[run]]\nname = \"a\"\narithmetic = \"adder\"\n"
                   "[[run]]\nname = \"b\"\narithmetic = \"shiftaddnet\"\n");
  for (const auto& [layer, run] :
       {std::pair("layer1.0.conv1", "a"), std::pair("layer1.0.conv1.shift", "b")}) {
    const Json answer = ask({"explain", scenario, "--layer", layer});
    ASSERT_EQ(answer.at("runs").size(), 1u);
    EXPECT_EQ(answer.at("runs")[0].at("name"), run);
  }
  const Json wider =
      ask({"explain", scenario, "--layer", "layer1.0.conv1", "--set", "hardware.array.rows=32"});
  EXPECT_NE(wider.at("runs")[0].at("cycles"),
            ask({"explain", scenario, "--layer", "layer1.0.conv1"}).at("runs")[0].at("cycles"));
}

TEST(AbacusJson, EnergyPricesActionsAtTheWidthsAskedFor) {
  const Json answer = ask({"energy", "shiftadd-papers", "--bits", "4,8,20,64"});
  EXPECT_EQ(answer.at("table"), "shiftadd-papers");
  EXPECT_THAT(answer.at("title").get<std::string>(), HasSubstr("ShiftAddNet"));
  std::map<std::pair<std::string, int>, double> prices;
  for (const Json& one : answer.at("prices"))
    prices[{one.at("action"), one.at("bits")}] = one.at("pj");
  EXPECT_DOUBLE_EQ(prices.at({"add", 8}), 0.03);
  EXPECT_DOUBLE_EQ(prices.at({"add", 4}), 0.015);
  EXPECT_DOUBLE_EQ(prices.at({"add", 20}), (0.03 + 0.9) / 2);
  EXPECT_DOUBLE_EQ(prices.at({"add", 64}), 1.8);
  EXPECT_DOUBLE_EQ(prices.at({"absolute_difference", 8}), 0.03);  // a multiple of an addition
  EXPECT_DOUBLE_EQ(prices.at({"multiply", 8}), 0.2);              // 8 × 8
  EXPECT_DOUBLE_EQ(prices.at({"multiply", 4}), 0.05);
  const Json horowitz = ask({"energy", "horowitz-45nm"});
  for (const Json& one : horowitz.at("prices")) {
    EXPECT_EQ(one.at("bits"), 8) << "the default";
    EXPECT_NE(one.at("action"), "sram_read") << "priced by the memory's size";
  }
}

TEST(AbacusJson, EnergyForPeopleAndTablesThatAreNone) {
  const support::ProgramOutput table =
      support::capture_program(ABACUS_PROGRAM, {"energy", "shiftadd-papers"});
  EXPECT_EQ(table.status, 0);
  EXPECT_THAT(table.out, AllOf(HasSubstr("shiftadd-papers: "), HasSubstr("add  "),
                               HasSubstr("  8 bits  0.03 pJ\n")));
  const support::ProgramOutput none =
      support::capture_program(ABACUS_PROGRAM, {"energy", "nowhere"});
  EXPECT_NE(none.status, 0);
  EXPECT_THAT(none.err, AllOf(HasSubstr("nowhere"), HasSubstr("horowitz-45nm")));
}

}  // namespace
}  // namespace abacus::cli
