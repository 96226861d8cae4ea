#include "sw/compare/difference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sw/reading/node.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::compare {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Two runs of three layers, as small as can be.
Json results() {
  Json layers = Json::array();
  for (const char* name : {"conv1", "conv2", "fc"}) {
    layers.push_back(
        {{"name", name}, {"cycles", 100}, {"energy_uj", 0.5}, {"kind", "convolution"}});
  }
  Json run = {{"name", "r"},
              {"images", 2},
              {"cycles_per_image", 300},
              {"energy_per_image_uj", 1.5},
              {"energy_by_component_uj", {{"pe_array", 1.0}, {"dram", 0.5}}},
              {"units", {{"load", {{"busy_cycles", 10}, {"stalled_cycles", 1}}}}},
              {"bit_exact", nullptr},
              {"layers", layers},
              {"area", {{"table", "t"}, {"array_um2", 5.5}}},
              {"hardware", {{"array", {{"rows", 16}}}}}};
  run["activity_per_image"] = {{{"component", "dram"},
                                {"action", "dram_read"},
                                {"bits_a", 128},
                                {"bits_b", 0},
                                {"count", 7},
                                {"pj_each", 2.5}}};
  Json other = run;
  other["name"] = "s";
  return {{"schema", 2},
          {"runs", {run, other}},
          {"scenario", {{"name", "n"}, {"file", "f"}, {"text", "a\n"}, {"set", Json::array()}}},
          {"times", {{"seconds", 1}}},
          {"provenance", {{"version", "1"}, {"commit", "abc"}, {"dirty", false}}}};
}

class Diff : public ::testing::Test {
 protected:
  ResultsValues read(const std::string& name, const Json& json) const {
    const auto file = folder_.path() / name;
    test::write_text(file, json.dump());
    return read_results_values(file);
  }
  Difference of(const Json& a, const Json& b) const {
    return difference(read("a.json", a), read("b.json", b));
  }
  std::string error_of(const std::string& text) const {
    test::write_text(folder_.path() / "x.json", text);
    try {
      read_results_values(folder_.path() / "x.json");
    } catch (const reading::InputError& error) {
      return error.what();
    }
    return "no error";
  }

  test::TemporaryFolder folder_;
};

TEST_F(Diff, EqualResultsAreTheSameWhoeverMadeThemAndHoweverLongItTook) {
  Json b = results();
  b["times"]["seconds"] = 100;
  b["provenance"]["commit"] = "def";
  b["scenario"]["text"] = "# a\n";
  b["runs"][0]["cycles_per_image"] = 300.0;
  const Difference found = of(results(), b);
  EXPECT_TRUE(found.same());
  EXPECT_THAT(to_text(found, 5), AllOf(HasSubstr("provenance.commit: abc → def"),
                                       HasSubstr("scenario.text: differs"), HasSubstr("\nsame\n")));
  // A folder stands for the file in it.
  std::filesystem::create_directory(folder_.path() / "d");
  test::write_text(folder_.path() / "d" / "results.json", b.dump());
  EXPECT_TRUE(difference(read_results_values(folder_.path() / "d"), read("b.json", b)).same());
}

// Whatever value of a run changes is found: no field is forgotten.
TEST_F(Diff, EveryValueOfARunThatChangesIsFound) {
  const Json flat = results()["runs"][1].flatten();
  int changed = 0;
  for (const auto& [pointer, value] : flat.items()) {
    const bool layer = pointer.find("/layers/") == 0;
    if (pointer == "/name" || (layer && pointer.find("/name") != std::string::npos)) {
      continue;
    }
    if (pointer.find("activity_per_image/0/") != std::string::npos && !value.is_number_float() &&
        pointer.find("count") == std::string::npos) {
      continue;  // part of the name
    }
    Json b = results();
    Json& at = b["runs"][1][Json::json_pointer(pointer)];
    at = at.is_number() ? Json(at.get<double>() + 0.25) : Json("other");
    const Difference found = of(results(), b);
    ASSERT_EQ(found.runs.size(), 1U) << pointer;
    EXPECT_EQ(found.runs[0].name, "s");
    EXPECT_EQ(found.runs[0].inputs.size() + found.runs[0].outcomes.size(), 1U) << pointer;
    ++changed;
  }
  EXPECT_GT(changed, 15);
}

TEST_F(Diff, InputsComeFirstAndTheLargestPartsAreNamed) {
  Json b = results();
  Json& run = b["runs"][0];
  run["hardware"]["array"]["rows"] = 32;
  run["cycles_per_image"] = 330;
  run["layers"][0]["cycles"] = 105;
  run["layers"][1]["cycles"] = 130;
  run["layers"][2]["cycles"] = 95;
  run["energy_by_component_uj"]["dram"] = 0.25;
  const Difference found = of(results(), b);
  ASSERT_EQ(found.runs.size(), 1U);
  const std::vector<Change>& outcomes = found.runs[0].outcomes;
  ASSERT_EQ(outcomes.size(), 5U);
  EXPECT_EQ(outcomes[0].name, "cycles_per_image");
  EXPECT_EQ(outcomes[0].change(), 30);
  EXPECT_EQ(relative_text(outcomes[0]), "+10 %");
  EXPECT_EQ(outcomes[2].name, "layers.cycles");
  EXPECT_EQ(outcomes[2].part, "conv2");
  const std::string text = to_text(found, 1);
  EXPECT_LT(text.find("hardware.array.rows: 16 → 32"), text.find("cycles_per_image"));
  EXPECT_THAT(text,
              AllOf(HasSubstr("layers.cycles, 3 parts\n      conv2: 100 → 130 cycles (+30 %)"),
                    HasSubstr("and 2 smaller"), HasSubstr("dram: 0.5 → 0.25 µJ (-50 %)"),
                    HasSubstr("differs: 1 run\n")));
  EXPECT_THAT(to_text(found, 0), AllOf(Not(HasSubstr("smaller")), HasSubstr("fc: 100 → 95")));
  const std::string markdown = to_markdown(found, 0);
  EXPECT_THAT(markdown, HasSubstr("| layers.cycles | conv2 | 100 | 130 | +30 % | cycles |"));
  const Json json = to_json(found);
  EXPECT_EQ(json["same"], false);
  EXPECT_EQ(json["runs"][0]["outcomes"][2]["part"], "conv2");
  EXPECT_EQ(json["runs"][0]["outcomes"][2]["kind"], "count");
  EXPECT_EQ(json["runs"][0]["outcomes"][2]["relative"], 0.3);
}

TEST_F(Diff, RunsOfOneAloneAreADifference) {
  Json b = results();
  b["runs"][1]["name"] = "t";
  const Difference found = of(results(), b);
  EXPECT_FALSE(found.same());
  EXPECT_THAT(found.only_a, ElementsAre("s"));
  EXPECT_THAT(found.only_b, ElementsAre("t"));
}

TEST_F(Diff, FieldsThatAnOtherSchemaDoesNotHaveAreToldAndNoDifference) {
  Json a = results();
  for (Json& run : a["runs"]) {
    run.erase("area");
    for (Json& layer : run["layers"]) layer.erase("energy_uj");
  }
  Difference found = of(a, results());
  EXPECT_FALSE(found.same()) << "one schema has its fields";
  EXPECT_EQ(found.runs[0].outcomes.size(), 4U);
  a["schema"] = 1;
  a.erase("provenance");
  found = of(a, results());
  EXPECT_TRUE(found.same()) << to_text(found, 0);
  EXPECT_THAT(found.not_compared, ElementsAre("area.array_um2", "area.table", "layers.energy_uj"));
  a["runs"][0]["cycles_per_image"] = 301;
  EXPECT_FALSE(of(a, results()).same());
}

TEST_F(Diff, WhatIsNoResultsFileIsNamed) {
  EXPECT_THAT(error_of("{"), HasSubstr("x.json: is no JSON"));
  EXPECT_THAT(error_of("[]"), HasSubstr("has no schema"));
  EXPECT_THAT(error_of("{\"schema\": 99, \"runs\": [1]}"),
              HasSubstr("found schema 99; allowed: 1 to 2; a newer abacus wrote it"));
  EXPECT_THAT(error_of("{\"schema\": 2, \"runs\": []}"), HasSubstr("runs: found none"));
  EXPECT_THAT(error_of("{\"schema\": 2, \"runs\": [5]}"), HasSubstr("runs[0].name: is missing"));
  EXPECT_THAT(error_of("{\"schema\": 2, \"runs\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}"),
              HasSubstr("two runs are called \"a\""));
  EXPECT_THROW(read_results_values(folder_.path() / "none"), reading::InputError);
  EXPECT_THROW(read_results_values(folder_.path()), reading::InputError);
}

}  // namespace
}  // namespace abacus::compare
