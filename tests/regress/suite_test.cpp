#include "sw/regress/suite.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "sw/reading/node.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::regress {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class SuiteFile : public ::testing::Test {
 protected:
  SuiteFile() { test::write_text(folder_.path() / "a.toml", ""); }
  Suite read(const std::string& text, const std::filesystem::path& goldens = {}) const {
    test::write_text(folder_.path() / "s.toml", text);
    return read_suite(folder_.path() / "s.toml", goldens);
  }
  std::string error_of(const std::string& text) const {
    try {
      read(text);
    } catch (const reading::InputError& error) {
      return error.what();
    }
    return "no error";
  }
  static std::string one(const std::string& more) {
    return "[[case]]\nname = \"a\"\nscenario = \"a.toml\"\n" + more;
  }

  test::TemporaryFolder folder_;
};

TEST_F(SuiteFile, HasCasesWithTheirTolerances) {
  const Suite suite = read("tolerance.energy = \"1 %\"\ntolerance.cycles_per_image = 3\n" +
                           one("images = 2\nset = [\"x=1\"]\ntolerance.count = \"2 %\"\n") +
                           "[[case]]\nname = \"b-1\"\nscenario = \"a.toml\"\ntier = \"full\"\n"
                           "tolerance = { \"layers.cycles\" = 5 }\n");
  ASSERT_EQ(suite.cases.size(), 2U);
  EXPECT_EQ(suite.name, "s");
  const Case& a = suite.cases[0];
  EXPECT_EQ(a.images, 2);
  EXPECT_THAT(a.settings, ::testing::ElementsAre("x=1"));
  EXPECT_EQ(a.golden, folder_.path() / "goldens" / "a.json");
  const auto text = [](const Case& of, const char* metric) {
    return of.tolerances.of(*compare::find_metric(metric)).text();
  };
  EXPECT_EQ(text(a, "energy_per_image_uj"), "±1 %");
  EXPECT_EQ(text(a, "cycles_per_image"), "±2 %") << "the case's own kind goes before";
  EXPECT_EQ(text(a, "accuracy_percent"), "exact");
  const Case& b = suite.cases[1];
  EXPECT_EQ(text(b, "cycles_per_image"), "±3");
  EXPECT_EQ(text(b, "layers.cycles"), "±5");
  EXPECT_EQ(text(b, "layers.macs_or_taps"), "exact");
  EXPECT_EQ(read(one(""), "/elsewhere").cases[0].golden, "/elsewhere/a.json");

  EXPECT_EQ(chosen(suite, false, "").size(), 2U);
  EXPECT_EQ(chosen(suite, true, "").size(), 1U);
  EXPECT_EQ(chosen(suite, false, "b?1").size(), 1U);
  EXPECT_EQ(chosen(suite, false, "-").size(), 1U);
  EXPECT_EQ(chosen(suite, true, "b").size(), 0U);
}

TEST_F(SuiteFile, MistakesAreToldTogetherWithTheirPlaces) {
  EXPECT_THAT(error_of(one("imags = 2\ntier = \"slow\"\n")),
              AllOf(HasSubstr("s.toml:4:1: unknown key `case[0].imags`; did you mean `images`?"),
                    HasSubstr("s.toml:5:8: case[0].tier: found the text \"slow\"")));
  EXPECT_THAT(error_of(one("tolerance.energie = 1\n")), HasSubstr("did you mean `energy`?"));
  for (const char* bad : {"-1", "\"-1 %\"", "\"1 %%\"", "\"nan\"", "\"\"", "\"about 5\""}) {
    EXPECT_THAT(error_of(one(std::string("tolerance.energy = ") + bad)),
                HasSubstr("allowed: exact, a number"))
        << bad;
  }
  EXPECT_THAT(error_of(one("") + one("")), HasSubstr("two cases are called \"a\""));
  EXPECT_THAT(error_of("name = \"x\"\n"), HasSubstr("case: is missing"));
  EXPECT_THAT(error_of("case = []\n"), HasSubstr("has no case"));
  EXPECT_THAT(error_of("[[case]]\nname = \"a\"\nscenario = \"none.toml\"\n"),
              HasSubstr("there is no file"));
  for (const char* name : {"../a", ".a", "A b", ""}) {
    EXPECT_NE(error_of("[[case]]\nname = \"" + std::string(name) + "\"\nscenario = \"a.toml\"\n"),
              "no error")
        << name;
  }
}

TEST(Tolerance, AllowsUpToItsAmount) {
  const Tolerance exact;
  EXPECT_TRUE(exact.allows(5, 5));
  EXPECT_TRUE(exact.allows(5, 5.0));
  EXPECT_FALSE(exact.allows(5, 6));
  EXPECT_FALSE(exact.allows(0.5, std::nextafter(0.5, 1)));
  const Tolerance absolute{Tolerance::Kind::absolute, 2};
  EXPECT_TRUE(absolute.allows(5, 7));
  EXPECT_TRUE(absolute.allows(5, 3));
  EXPECT_FALSE(absolute.allows(5, 7.01));
  const Tolerance percent{Tolerance::Kind::percent, 10};
  EXPECT_TRUE(percent.allows(-50, -55));
  EXPECT_FALSE(percent.allows(-50, -56));
  EXPECT_FALSE(percent.allows(0, 1e-9));
  // What is no number must be equal.
  for (const Tolerance& tolerance : {exact, absolute, percent}) {
    EXPECT_TRUE(tolerance.allows(nullptr, nullptr));
    EXPECT_FALSE(tolerance.allows(nullptr, 0));
    EXPECT_FALSE(tolerance.allows(true, false));
    EXPECT_FALSE(tolerance.allows("a", "b"));
  }
}

}  // namespace
}  // namespace abacus::regress
