// abacus explore, export and best as people meet them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "sw/study/database.hpp"
#include "sw/support/child_process.hpp"
#include "tests/study/study_files.hpp"
#include "tests/support/started_program.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::study {
namespace {

using test::axis;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

const std::string small_axes =
    axis("rows", "hardware.array.rows", "[4, 8, 16]") +
    axis("columns", "hardware.array.columns", "[4, 16]") +
    axis("sram", "hardware.activation_sram.bytes", "[\"512B\", \"8KiB\", \"64KiB\"]");

class Explore : public ::testing::Test {
 protected:
  std::string in(const std::string& name) const { return (folder_.path() / name).string(); }
  void write_study(const std::string& axes, const std::string& top = "") const {
    test::write_text(in("s.toml"), top + test::study_head() + axes);
  }
  static support::ProgramOutput says(const Words& words) {
    return support::capture_program(ABACUS_PROGRAM, words);
  }
  support::ProgramOutput explore(const std::string& out, Words more = {}) const {
    Words words = {"explore", in("s.toml"), "--out=" + in(out)};
    words.insert(words.end(), more.begin(), more.end());
    return says(words);
  }
  std::string exported(const std::string& out) const {
    const support::ProgramOutput said = says({"export", in(out)});
    EXPECT_EQ(said.status, 0) << said.err;
    return said.out;
  }

  test::TemporaryFolder folder_;
};

TEST_F(Explore, PointsHaveWhatSimulateGives) {
  write_study(small_axes);
  const support::ProgramOutput said = explore("out");
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("18 points: 12 ok, 6 infeasible, 0 failed"));

  std::string base = test::study_head();
  test::write_text(in("base.toml"), base.substr(base.find("network")));
  ASSERT_EQ(says({"simulate", in("base.toml"), "--quiet", "--set=hardware.array.rows=16",
                  "--set=hardware.array.columns=4", "--set=hardware.activation_sram.bytes=8192",
                  "--out=" + in("one")})
                .status,
            0);
  const auto run = nlohmann::json::parse(test::read_text(in("one/results.json")))["runs"][0];
  const support::ProgramOutput json = says({"export", in("out"), "--json"});
  const auto points = nlohmann::json::parse(json.out);
  ASSERT_EQ(points.size(), 18U);
  int found = 0;
  for (const auto& point : points) {
    if (point["sram"] == 512) {
      EXPECT_EQ(point["status"], "infeasible");
      EXPECT_THAT(point["reason"],
                  AllOf(HasSubstr("bytes of activation SRAM; it has 512"), HasSubstr("needs")));
      EXPECT_TRUE(point["energy_per_image_uj"].is_null());
    }
    if (point["rows"] != 16 || point["columns"] != 4 || point["sram"] != 8192) continue;
    ++found;
    for (const char* metric : {"cycles_per_image", "energy_per_image_uj", "power_mw"}) {
      EXPECT_EQ(point[metric], run[metric]) << metric;
    }
    EXPECT_EQ(point["area.accelerator_um2"], run["area"]["accelerator_um2"]);
    EXPECT_EQ(point["energy_by_component_uj.dram"], run["energy_by_component_uj"]["dram"]);
  }
  EXPECT_EQ(found, 1);
  EXPECT_EQ(explore("more", {"--jobs=3"}).status, 0);
  EXPECT_EQ(exported("more"), exported("out"));
}

TEST_F(Explore, WhatIsFinishedIsNotDoneAgain) {
  write_study(small_axes);
  ASSERT_EQ(explore("out").status, 0);
  const auto seconds = [&] { return says({"export", in("out"), "--columns=number,seconds"}).out; };
  const std::string first = seconds();
  ASSERT_EQ(explore("out").status, 0);
  EXPECT_EQ(seconds(), first);
  // Another base: all points are others.
  std::string text = test::read_text(in("s.toml"));
  text.replace(text.find("classes = 10"), 12, "classes = 11");
  test::write_text(in("s.toml"), text);
  ASSERT_EQ(explore("out").status, 0);
  EXPECT_NE(seconds(), first);
}

TEST_F(Explore, OneFileThatAnyToolReads) {
  write_study(small_axes);
  ASSERT_EQ(explore("out").status, 0);
  EXPECT_FALSE(std::filesystem::exists(in("out/study.sqlite-wal")));
  Database database(in("out/study.sqlite"), Database::Mode::read);
  std::int64_t rows = 0;
  database.run("SELECT rows, energy_per_image_uj FROM results WHERE status = 'ok'", {},
               [&](const Row& row) {
                 ++rows;
                 EXPECT_GT(std::get<double>(row[1]), 0);
               });
  EXPECT_EQ(rows, 12);
}

TEST_F(Explore, ShardsCollectToTheSameBytes) {
  write_study(small_axes);
  ASSERT_EQ(explore("out").status, 0);
  ASSERT_EQ(explore("a", {"--shard=1/2"}).status, 0);
  const support::ProgramOutput one = says({"explore", "collect", in("a"), "--out=" + in("all")});
  EXPECT_EQ(one.status, 1);
  EXPECT_THAT(one.err, HasSubstr("shard 2/2 is missing"));
  EXPECT_FALSE(std::filesystem::exists(in("all/study.sqlite")));
  ASSERT_EQ(explore("b", {"--shard=2/2"}).status, 0);
  EXPECT_THAT(says({"explore", "collect", in("a"), in("a"), "--out=" + in("all")}).err,
              HasSubstr("which came already"));
  ASSERT_EQ(says({"explore", "collect", in("b"), in("a"), "--out=" + in("all")}).status, 0);
  EXPECT_EQ(exported("all"), exported("out"));
  EXPECT_THAT(explore("a").err, HasSubstr("a shard has a folder of its own"));
}

TEST_F(Explore, BestAndPareto) {
  write_study(small_axes, "constraints = \"sram > 8192\"\n");
  ASSERT_EQ(explore("out").status, 0);
  const auto points = nlohmann::json::parse(says({"export", in("out"), "--json"}).out);
  const auto front = nlohmann::json::parse(says({"best", in("out"), "--pareto", "--json"}).out);
  // By plain comparison of all pairs.
  std::vector<std::int64_t> expected;
  const auto meets = [](const auto& point) {
    return point["status"] == "ok" && point["sram"] > 8192;
  };
  for (const auto& point : points) {
    bool beaten = !meets(point);
    for (const auto& other : points) {
      if (!meets(other) || beaten) continue;
      const bool energy = other["energy_per_image_uj"] < point["energy_per_image_uj"];
      const bool area = other["area.accelerator_um2"] < point["area.accelerator_um2"];
      beaten = (energy && other["area.accelerator_um2"] <= point["area.accelerator_um2"]) ||
               (area && other["energy_per_image_uj"] <= point["energy_per_image_uj"]);
    }
    if (!beaten) expected.push_back(point["number"]);
  }
  std::vector<std::int64_t> found;
  for (const auto& point : front["points"]) found.push_back(point["number"]);
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, expected);
  EXPECT_GT(found.size(), 1U);

  const auto least = nlohmann::json::parse(
      says({"best", in("out"), "--minimise=cycles", "--where=rows < 16 and columns == 4", "--json"})
          .out);
  ASSERT_EQ(least["points"].size(), 1U);
  EXPECT_EQ(least["points"][0]["rows"], 8);
  EXPECT_THAT(says({"best", in("out"), "--where=area_um2 < 1"}).out,
              HasSubstr("no point meets the conditions"));
  EXPECT_THAT(says({"best", in("out"), "--where=arae_um2 < 1"}).err,
              AllOf(HasSubstr("column 1 of"), HasSubstr("did you mean `area_um2`?")));
  EXPECT_THAT(says({"best", in("out"), "--maximise=accuracy_percent"}).err,
              HasSubstr("no point has the metric accuracy_percent"));
  EXPECT_THAT(says({"best", in("out"), "--minimise=enrgy_uj"}).err,
              HasSubstr("did you mean `energy_uj`?"));
  EXPECT_THAT(says({"export", in("out"), "--columns=rowz"}).err, HasSubstr("did you mean `rows`?"));
  EXPECT_EQ(says({"export", in("out"), "--columns=rows,cycles"}).out.substr(0, 21),
            "rows,cycles_per_image");
}

TEST_F(Explore, APointDoesNotTakeAnotherRunsPointsWithIt) {
  test::write_text(in("s.toml"),
                   test::study_head() +
                       "[[base.run]]\nname = \"good\"\n"
                       "[[base.run]]\nname = \"bad\"\nhardware.array.accumulator_bits = 99\n" +
                       axis("rows", "hardware.array.rows", "[4, 8]"));
  const support::ProgramOutput said = explore("out");
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("4 points: 2 ok, 2 infeasible, 0 failed"));
  for (const auto& point : nlohmann::json::parse(says({"export", in("out"), "--json"}).out)) {
    EXPECT_EQ(point["status"], point["run"] == "bad" ? "infeasible" : "ok") << point;
  }
}

TEST_F(Explore, ADryRunCountsAndNamesWhatDoesNotFit) {
  write_study(small_axes);
  const support::ProgramOutput said = says({"explore", in("s.toml"), "--dry-run"});
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_THAT(said.out,
              AllOf(HasSubstr("infeasible  rows=4, columns=4, sram=512: layer \""),
                    HasSubstr("18 points: 12 fit, 6 infeasible, 0 failed"), HasSubstr("about ")));
}

pid_t started(const Words& words) { return test::started(ABACUS_PROGRAM, words); }

std::vector<pid_t> children_of(pid_t parent) {
  const std::string number = std::to_string(parent);
  std::ifstream file("/proc/" + number + "/task/" + number + "/children");
  std::vector<pid_t> children;
  for (pid_t child; file >> child;) children.push_back(child);
  return children;
}

TEST_F(Explore, KilledAtAnyMomentItEndsInTheSameTable) {
  write_study(axis("rows", "hardware.array.rows", "[2, 3, 4, 5, 6, 7, 8, 9, 10, 11]") +
              axis("columns", "hardware.array.columns", "[2, 4, 6, 8, 10, 12]") +
              axis("sram", "hardware.activation_sram.bytes", "[\"512B\", \"8KiB\"]"));
  ASSERT_EQ(explore("out").status, 0);
  const std::string undisturbed = exported("out");
  std::mt19937 random(7);
  constexpr int kills = 50;
  for (int kill = 0; kill < kills; ++kill) {
    const pid_t command = started({"explore", in("s.toml"), "--out=" + in("killed"), "--jobs=2"});
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 250));
    const std::vector<pid_t> workers = children_of(command);
    if (kill % 2 == 0 || workers.empty()) {
      ::kill(command, SIGKILL);
    } else {
      ::kill(workers[random() % workers.size()], SIGKILL);
    }
    ::waitpid(command, nullptr, 0);
  }
  ASSERT_EQ(explore("killed").status, 0);
  EXPECT_EQ(exported("killed"), undisturbed);
}

}  // namespace
}  // namespace abacus::study
