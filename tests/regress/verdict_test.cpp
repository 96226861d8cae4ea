#include "sw/regress/verdict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sw/reading/node.hpp"
#include "sw/regress/report.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::regress {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Judgement : public ::testing::Test {
 protected:
  static Json results() {
    Json layers = Json::array();
    for (const char* name : {"z-first", "a-second"}) {
      layers.push_back({{"name", name},
                        {"cycles", 100},
                        {"energy_uj", 0.5},
                        {"units", {{"load", {{"busy_cycles", 3}}}}}});
    }
    const Json run = {{"name", "r"},
                      {"cycles_per_image", 200},
                      {"energy_per_image_uj", 1.0},
                      {"energy_by_component_uj", {{"pe_array", 0.75}, {"dram", 0.25}}},
                      {"bit_exact", nullptr},
                      {"layers", layers}};
    return {{"schema", 2}, {"runs", {run}}};
  }
  compare::ResultsValues values(const Json& json) const {
    const auto file = folder_.path() / "results.json";
    test::write_text(file, json.dump());
    return compare::read_results_values(file);
  }
  Golden golden() const { return {golden_runs(values(results())), {"why"}}; }
  Case a_case() const {
    Case one;
    one.name = "a";
    one.golden = folder_.path() / "a.json";
    one.tolerances = Tolerances::defaults();
    return one;
  }
  Verdict judge_json(const Json& json) const {
    return judge(golden(), values(json), Tolerances::defaults());
  }

  test::TemporaryFolder folder_;
};

TEST_F(Judgement, TheSameIsTheSame) {
  EXPECT_TRUE(judge_json(results()).same());
  Json other = results();
  // What another order of additions may give.
  other["runs"][0]["energy_per_image_uj"] = 1.0 + 1e-12;
  EXPECT_TRUE(judge_json(other).same());
}

TEST_F(Judgement, NamesTheFirstLayerAndComponentInTheirOrder) {
  Json other = results();
  Json& run = other["runs"][0];
  run["cycles_per_image"] = 203;
  run["layers"][0]["cycles"] = 101;
  run["layers"][1]["cycles"] = 102;
  run["energy_by_component_uj"]["dram"] = 0.5;
  const Verdict verdict = judge_json(other);
  ASSERT_EQ(verdict.runs.size(), 1U);
  EXPECT_EQ(verdict.runs[0].mismatches.size(), 4U);
  EXPECT_EQ(verdict.runs[0].first_layer, "z-first, cycles: 100 → 101");
  EXPECT_EQ(verdict.runs[0].first_component, "dram, energy_by_component_uj: 0.25 → 0.5");
  EXPECT_THAT(mismatch_table(verdict),
              AllOf(HasSubstr("cycles_per_image"), HasSubstr("200"), HasSubstr("203"),
                    HasSubstr("+1.5 %"), HasSubstr("exact"), HasSubstr("first layer: z-first")));
}

TEST_F(Judgement, AMissingMetricFailsAndANewOneIsTold) {
  Json other = results();
  other["runs"][0].erase("energy_per_image_uj");
  other["runs"][0]["time_per_image_us"] = 5;
  const Verdict verdict = judge_json(other);
  ASSERT_EQ(verdict.runs.size(), 1U);
  ASSERT_EQ(verdict.runs[0].mismatches.size(), 1U);
  EXPECT_EQ(verdict.runs[0].mismatches[0].metric, "energy_per_image_uj");
  EXPECT_TRUE(verdict.runs[0].mismatches[0].now.is_discarded());
  EXPECT_THAT(verdict.added, ElementsAre("time_per_image_us"));
  other = results();
  other["runs"][0]["time_per_image_us"] = 5;
  EXPECT_TRUE(judge_json(other).same());
  other["runs"][0]["layers"].erase(1);
  EXPECT_FALSE(judge_json(other).same()) << "a layer less";
  other["runs"][0]["name"] = "s";
  const Verdict renamed = judge_json(other);
  ASSERT_EQ(renamed.runs.size(), 1U);
  EXPECT_EQ(renamed.runs[0].run, "r");
  EXPECT_THAT(renamed.added, ElementsAre("run \"s\""));
}

TEST_F(Judgement, GoldenFilesComeBackAsTheyWereAndAreSorted) {
  write_golden(a_case(), golden());
  const std::string text = test::read_text(a_case().golden);
  const Golden back = read_golden(a_case());
  EXPECT_EQ(back.runs, golden().runs);
  EXPECT_THAT(back.reasons, ElementsAre("why"));
  EXPECT_LT(text.find("a-second"), text.find("z-first"));
  EXPECT_EQ(text.find("busy_cycles"), std::string::npos) << "units of layers are left out";
  write_golden(a_case(), back);
  EXPECT_EQ(test::read_text(a_case().golden), text);
}

TEST_F(Judgement, GoldensThatAreNoneAreRefusedWithTheCommandThatMakesThem) {
  const auto error_of = [&](const std::string& text) {
    test::write_text(a_case().golden, text);
    try {
      read_golden(a_case());
    } catch (const reading::InputError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(error_of("{"), AllOf(HasSubstr("a.json: is damaged: no JSON object"),
                                   HasSubstr("abacus regress SUITE --update a --reason TEXT")));
  EXPECT_THAT(error_of("{}"), HasSubstr("found schema none; allowed: 1"));
  EXPECT_THAT(error_of("{\"schema\": 7}"), HasSubstr("found schema 7; allowed: 1"));
  EXPECT_THAT(error_of("{\"schema\": 1, \"case\": \"b\"}"), HasSubstr("is not of case \"a\""));
  EXPECT_THAT(error_of("{\"schema\": 1, \"case\": \"a\", \"runs\": {}}"),
              HasSubstr("it has no runs"));
  for (const char* run : {"5", "[]", "{\"m\": [1]}", "{\"m\": {\"p\": {}}}"}) {
    EXPECT_THAT(
        error_of("{\"schema\": 1, \"case\": \"a\", \"runs\": {\"r\": " + std::string(run) + "}}"),
        HasSubstr("is damaged: runs.r"))
        << run;
  }
  std::filesystem::remove(a_case().golden);
  EXPECT_THROW(read_golden(a_case()), reading::InputError);
}

}  // namespace
}  // namespace abacus::regress
