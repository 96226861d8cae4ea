// Method nsga2 of abacus explore.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "sw/support/child_process.hpp"
#include "tests/study/study_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::study {
namespace {

using test::axis;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;
using Json = nlohmann::json;

const std::string axes =
    axis("rows", "hardware.array.rows", "[2, 4, 6, 8, 10, 12, 14, 16]") +
    axis("columns", "hardware.array.columns", "[2, 4, 6, 8, 10, 12, 14, 16]") +
    axis("sram", "hardware.activation_sram.bytes", "[\"512B\", \"8KiB\", \"16KiB\"]");

std::string method(int points) {
  return "[method]\nkind = \"nsga2\"\npopulation = 12\npoints = " + std::to_string(points) + "\n";
}

class ExploreSearch : public ::testing::Test {
 protected:
  std::string in(const std::string& name) const { return (folder_.path() / name).string(); }
  void write_study(const std::string& rest, const std::string& top = "") const {
    test::write_text(in("s.toml"), top + test::study_head() + axes + rest);
  }
  static support::ProgramOutput says(const Words& words) {
    return support::capture_program(ABACUS_PROGRAM, words);
  }
  support::ProgramOutput explore(const std::string& out, Words more = {}) const {
    Words words = {"explore", in("s.toml"), "--out=" + in(out)};
    words.insert(words.end(), more.begin(), more.end());
    return says(words);
  }
  std::string exported(const std::string& out) const { return says({"export", in(out)}).out; }
  std::map<std::int64_t, Json> points(const std::string& out) const {
    std::map<std::int64_t, Json> points;
    for (const Json& point : Json::parse(says({"export", in(out), "--json"}).out)) {
      points[point["number"]] = point;
    }
    return points;
  }

  test::TemporaryFolder folder_;
};

class Nsga2Method : public ExploreSearch {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(std::filesystem::path(ABACUS_PROGRAM).parent_path() /
                                 "abacus-nsga2")) {
      GTEST_SKIP() << "skipped: no pagmo; scripts/setup.sh installs it";
    }
  }
};

TEST_F(Nsga2Method, ItsPointsAreTheGrids) {
  write_study("");
  ASSERT_EQ(explore("grid").status, 0);
  write_study(method(60), "skip = \"rows == 6\"\nconstraints = \"columns < 16\"\n");
  ASSERT_EQ(explore("search", {"--jobs=2"}).status, 0);
  const auto grid = points("grid");
  const auto found = points("search");
  ASSERT_EQ(found.size(), 60U);
  int infeasible = 0;
  int of_front = 0;
  for (const auto& [number, point] : found) {
    EXPECT_EQ(point, grid.at(number));
    EXPECT_NE(point["rows"], 6);
    infeasible += point["status"] == "infeasible" ? 1 : 0;
    of_front += point["columns"] == 16 ? 1 : 0;
  }
  // A third of the grid is infeasible, an eighth misses the constraint; the search soon leaves them.
  EXPECT_GT(infeasible, 0);
  EXPECT_LT(infeasible, 15);
  EXPECT_LT(of_front, 8);

  ASSERT_EQ(explore("again", {"--jobs=1"}).status, 0);
  EXPECT_EQ(exported("again"), exported("search"));
}

TEST_F(Nsga2Method, EndsWhereTheSpaceDoes) {
  write_study(method(1000));
  const support::ProgramOutput said = explore("out");
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_LE(points("out").size(), 192U);
  EXPECT_EQ(said.err.find("not finished"), std::string::npos);
}

TEST_F(Nsga2Method, GoesOnWithALargerBudget) {
  write_study(method(30));
  ASSERT_EQ(explore("out").status, 0);
  write_study(method(60));
  ASSERT_EQ(explore("whole").status, 0);
  ASSERT_EQ(explore("out").status, 0);
  EXPECT_EQ(exported("out"), exported("whole"));
  write_study(method(30));
  ASSERT_EQ(explore("out").status, 0);
  EXPECT_EQ(points("out").size(), 30U);
}

TEST_F(Nsga2Method, KilledAtAnyMomentItEndsInTheSameTable) {
  write_study(method(80));
  ASSERT_EQ(explore("out").status, 0);
  std::mt19937 random(3);
  for (int kill = 0; kill < 12; ++kill) {
    const pid_t command = ::fork();
    if (command == 0) {
      const std::string study = in("s.toml");
      const std::string out = "--out=" + in("killed");
      ::execl(ABACUS_PROGRAM, ABACUS_PROGRAM, "explore", study.c_str(), out.c_str(), "--quiet",
              "--jobs=2", nullptr);
      ::_exit(127);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 400));
    ::kill(command, SIGKILL);
    ::waitpid(command, nullptr, 0);
  }
  ASSERT_EQ(explore("killed").status, 0);
  EXPECT_EQ(exported("killed"), exported("out"));
}

TEST_F(Nsga2Method, ObjectivesThatNoPointHas) {
  write_study(method(30));
  std::string text = test::read_text(in("s.toml"));
  text.replace(text.find("\"area_um2\""), 10, "\"accuracy_percent\"");
  test::write_text(in("s.toml"), text);
  const support::ProgramOutput said = explore("out");
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, HasSubstr("has no accuracy_percent, an objective of the search"));
}

TEST_F(ExploreSearch, WithoutPagmoThereIsAnError) {
  // Beside a copy of the program there is no search.
  std::filesystem::copy_file(ABACUS_PROGRAM, in("abacus"));
  write_study(method(30));
  ::setenv("PATH", "/nowhere", 1);
  const support::ProgramOutput said =
      support::capture_program(in("abacus"), {"explore", in("s.toml"), "--out=" + in("out")});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err,
              AllOf(HasSubstr("there is no program abacus-nsga2"), HasSubstr("libpagmo-dev")));
}

TEST_F(ExploreSearch, WhatGoesNotTogether) {
  write_study(method(30));
  EXPECT_THAT(explore("out", {"--shard=1/2"}).err, HasSubstr("a search has no shards"));
  EXPECT_THAT(says({"explore", in("s.toml"), "--dry-run"}).out,
              HasSubstr("a search simulates 30 points of 192 at most"));
  write_study("[method]\nkind = \"nsga2\"\npoints = 30\npopulation = 13\n");
  EXPECT_THAT(explore("out").err, HasSubstr("a multiple of 4"));
  write_study("[method]\nkind = \"nsga2\"\npopulation = 12\n");
  EXPECT_THAT(explore("out").err, HasSubstr("method.points: is missing"));
  write_study("[method]\nkind = \"random\"\npoints = 3\npopulation = 12\n");
  EXPECT_THAT(explore("out").err, HasSubstr("goes with kind nsga2"));
  write_study(method(30));
  std::string text = test::read_text(in("s.toml"));
  text.erase(text.find(", \"area_um2\""), 12);
  test::write_text(in("s.toml"), text);
  EXPECT_THAT(explore("out").err, HasSubstr("nsga2 needs two objectives"));
}

}  // namespace
}  // namespace abacus::study
