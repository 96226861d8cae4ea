#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sw/study/study.hpp"
#include "tests/study/study_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::study {
namespace {

using test::axis;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string error_of(const std::string& text) {
  const test::TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "s.toml";
  test::write_text(file, text);
  experiment::ReadFiles files;
  try {
    read_study(file, files);
  } catch (const reading::InputError& error) {
    return error.what();
  }
  return "no error";
}

std::string with(const std::string& top, const std::string& axes) {
  return error_of(top + test::study_head() + axes);
}

const std::string rows = axis("rows", "hardware.array.rows", "[2, 4]");

TEST(StudyFile, AxesThatNameNoKeyAreToldWithTheNearest) {
  EXPECT_THAT(with("", axis("r", "hardware.array.rwos", "[2, 4]") + axis("i", "imags", "[1]")),
              AllOf(HasSubstr("s.toml:13:11: unknown key `hardware.array.rwos`"),
                    HasSubstr("did you mean `rows`?"), HasSubstr("did you mean `image`?")));
}

TEST(StudyFile, AllMistakesAtOnceWithPlaces) {
  const std::string error =
      with("were = \"rows < 3\"\nwhere = [\"rows <\", \"rowz > 2\"]\n",
           axis("rows", "hardware.array.rows", "[]") + axis("x", "hardware.array.columns", "3"));
  EXPECT_THAT(error,
              AllOf(HasSubstr("s.toml:1:1: unknown key `were`; did you mean `where`?"),
                    HasSubstr("axis[0].values: is empty"), HasSubstr("axis[1].values: found"),
                    HasSubstr("where[1]: column 1 of \"rowz > 2\"")));
}

TEST(StudyFile, ContradictoryLinks) {
  EXPECT_THAT(with("", rows + axis("again", "hardware.array.rows", "[8]")),
              HasSubstr("hardware.array.rows is driven twice"));
  EXPECT_THAT(with("", rows + "[[derived]]\nkey = \"hardware.array.rows\"\nvalue = \"rows * 2\"\n"),
              HasSubstr("hardware.array.rows is driven twice"));
  EXPECT_THAT(with("", rows + axis("all", "hardware.array", "[1]")), HasSubstr("driven twice"));
  EXPECT_THAT(with("", rows + axis("rows", "hardware.array.columns", "[8]")),
              HasSubstr("two axes are called \"rows\""));
  EXPECT_THAT(with("", axis("status", "hardware.array.rows", "[8]")), HasSubstr("another `name`"));
}

TEST(StudyFile, RangesThatLeadNowhere) {
  const auto range = [](const std::string& rest) {
    return with("", "[[axis]]\nkey = \"hardware.array.rows\"\n" + rest);
  };
  EXPECT_THAT(range("from = 1\nto = 8\n"), HasSubstr("either `step` or `factor`"));
  EXPECT_THAT(range("from = 1\nto = 8\nstep = -1\n"), HasSubstr("a step that leads"));
  EXPECT_THAT(range("from = 1\nto = 8\nstep = 0\n"), HasSubstr("a step that leads"));
  EXPECT_THAT(range("from = 1\nto = 8\nfactor = 1\n"), HasSubstr("a factor that leads"));
  EXPECT_THAT(range("from = 1\nto = 8\nfactor = 0.5\n"), HasSubstr("a factor that leads"));
  EXPECT_THAT(range("from = 1\nto = 1e9\nstep = 1\n"), HasSubstr("more than 100000 values"));
  EXPECT_THAT(range("from = \"x\"\nto = 8\nstep = 1\n"), HasSubstr("axis[0].from: found"));
  EXPECT_THAT(range("values = [1, 1]\n"), HasSubstr("stands in the list twice"));
  EXPECT_THAT(range("values = [1]\nstep = 1\n"), HasSubstr("goes without `values`"));
}

TEST(StudyFile, ObjectivesThatNoResultHas) {
  std::string head = test::study_head();
  head.replace(head.find("energy_uj"), 9, "enrgy_uj");
  EXPECT_THAT(error_of(head + rows),
              AllOf(HasSubstr("which no result has"), HasSubstr("did you mean `energy_uj`?")));
  EXPECT_THAT(with("constraints = \"aera_um2 < 3\"\n", rows),
              HasSubstr("did you mean `area_um2`?"));
}

TEST(StudyFile, ABaseOfWhichNoPointCanBe) {
  std::string head = test::study_head();
  head.replace(head.find("lenet"), 5, "lenot");
  EXPECT_THAT(error_of(head + rows), HasSubstr("network: found the text \"lenot\""));
}

TEST(StudyFile, MethodsAndBases) {
  EXPECT_THAT(with("", rows + "[method]\nkind = \"random\"\n"),
              HasSubstr("method.points: is missing"));
  EXPECT_THAT(with("", rows + "[method]\npoints = 3\n"), HasSubstr("goes with kind random"));
  EXPECT_THAT(with("scenario = \"x.toml\"\n", rows), HasSubstr("either `scenario`"));
  EXPECT_THAT(error_of("scenario = \"x.toml\"\n" + rows), HasSubstr("there is no file"));
  EXPECT_THAT(with("", ""), HasSubstr("axis: is missing"));
}

}  // namespace
}  // namespace abacus::study
