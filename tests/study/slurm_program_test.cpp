// abacus explore --engine slurm on a real Slurm of two nodes (tests/study/slurm_cluster).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "sw/experiment/resources.hpp"
#include "sw/study/slurm_queue.hpp"
#include "sw/support/child_process.hpp"
#include "tests/study/study_files.hpp"
#include "tests/support/number_from_environment.hpp"
#include "tests/support/started_program.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::study {
namespace {

using test::axis;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

support::ProgramOutput says(const Words& words) {
  return support::capture_program(ABACUS_PROGRAM, words);
}

class SlurmExplore : public ::testing::Test {
 protected:
  std::string in(const std::string& name) const { return (folder_.path() / name).string(); }
  void write_study(const std::string& rest, const std::string& top = "") const {
    test::write_text(in("s.toml"), top + test::study_head() + rest);
  }
  Words command(const std::string& out, const Words& more) const {
    Words words = {"explore", in("s.toml"), "--out=" + in(out)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  support::ProgramOutput explore(const std::string& out, const Words& more = {}) const {
    return says(command(out, more));
  }
  std::string exported(const std::string& out) const { return says({"export", in(out)}).out; }

  test::TemporaryFolder folder_;
};

// 96 points, a third of them infeasible.
const std::string axes =
    axis("rows", "hardware.array.rows", "[2, 4, 6, 8]") +
    axis("columns", "hardware.array.columns", "[2, 4, 6, 8, 10, 12, 14, 16]") +
    axis("sram", "hardware.activation_sram.bytes", "[\"512B\", \"8KiB\", \"16KiB\"]");

class SlurmCluster : public SlurmExplore {
 protected:
  // One for all tests of a process: its nodes take a second to come up.
  static void SetUpTestSuite() {
    for (const char* program : {"sbatch", "squeue", "slurmctld", "slurmd", "munged"}) {
      if (experiment::find_program(program).empty() &&
          !std::filesystem::exists(std::filesystem::path("/usr/sbin") / program)) {
        missing_ = program;
      }
    }
    if (::getuid() != 0) missing_ = "root";
    if (!missing_.empty()) return;
    cluster_ = std::make_unique<test::TemporaryFolder>();
    ::chmod(cluster_->path().c_str(), 0711);
    const support::ProgramOutput said = support::capture_program(
        SLURM_CLUSTER,
        {"start", cluster_->path().string(), std::to_string(20000 + ::getpid() % 9000 * 3)});
    ASSERT_EQ(said.status, 0) << said.err;
    ::setenv("SLURM_CONF", (cluster_->path() / "slurm.conf").c_str(), 1);
  }
  static void TearDownTestSuite() {
    if (!cluster_) return;
    support::capture_program(SLURM_CLUSTER, {"stop", cluster_->path().string()});
    cluster_.reset();
  }
  void SetUp() override {
    if (!missing_.empty()) {
      GTEST_SKIP() << "skipped: no " << missing_ << "; scripts/setup.sh installs Slurm, "
                   << "whose nodes want root";
    }
  }
  static void kill_node(const char* node) {
    support::capture_program(SLURM_CLUSTER, {"kill-node", cluster_->path().string(), node});
  }
  // Of the queue: "RUNNING left" and the like, a line a task.
  static std::string queue() {
    return support::capture_program(experiment::find_program("squeue"),
                                    {"--noheader", "--array", "--format=%T %N"})
        .out;
  }
  static void wait_until(const std::function<bool()>& holds) {
    for (int i = 0; i < 1200 && !holds(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  static std::string missing_;
  static std::unique_ptr<test::TemporaryFolder> cluster_;
};
std::string SlurmCluster::missing_;
std::unique_ptr<test::TemporaryFolder> SlurmCluster::cluster_;

pid_t started(const Words& words) { return test::started(ABACUS_PROGRAM, words); }

TEST_F(SlurmCluster, EndsInTheTableOfALocalRun) {
  write_study(axes + "[engine.slurm]\nchunk = 30\nsbatch = \"--time=20\"\n");
  ASSERT_EQ(explore("local").status, 0);
  const support::ProgramOutput said = explore("out", {"--engine=slurm", "--sbatch=--nice=5"});
  ASSERT_EQ(said.status, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("96 points: 64 ok, 32 infeasible, 0 failed"));
  EXPECT_EQ(exported("out"), exported("local"));
  EXPECT_EQ(queue(), "");
  EXPECT_TRUE(std::filesystem::exists(in("out/shards/4-of-4/study.sqlite")));
  EXPECT_FALSE(std::filesystem::exists(in("out/shards/5-of-4")));
  // The same command simulates nothing again.
  const auto seconds = [&] { return says({"export", in("out"), "--columns=number,seconds"}).out; };
  const std::string before = seconds();
  ASSERT_EQ(explore("out", {"--engine=slurm"}).status, 0);
  EXPECT_EQ(seconds(), before);
  // Nor is another study's folder written.
  write_study(axis("rows", "hardware.array.rows", "[2, 4]"));
  EXPECT_THAT(explore("out", {"--engine=slurm"}).err, HasSubstr("holds another study"));
  EXPECT_EQ(seconds(), before);
}

// Long enough that a node dies in the middle.
const std::string slow_axes =
    axis("rows", "hardware.array.rows", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]") +
    axis("columns", "hardware.array.columns", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]") +
    axis("bus", "hardware.bus.bytes_per_cycle", "[2, 4, 8, 16]");

TEST_F(SlurmCluster, ASubmitterThatIsKilledAtAnyMomentGoesOn) {
  write_study(slow_axes);
  ASSERT_EQ(explore("local").status, 0);
  const int kills = test::number_from_environment("ABACUS_KILLS", 12);
  std::mt19937 random(5);
  for (int kill = 0; kill < kills; ++kill) {
    const pid_t submitter = started(command("out", {"--engine=slurm", "--chunk=60", "--quiet"}));
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 1500));
    // Now and then its tasks die with it.
    if (kill % 3 == 2) {
      support::capture_program(experiment::find_program("scancel"),
                               {"--signal=KILL", "--state=RUNNING", "--me"});
    }
    ::kill(submitter, SIGKILL);
    ::waitpid(submitter, nullptr, 0);
  }
  const support::ProgramOutput said = explore("out", {"--engine=slurm", "--chunk=60"});
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_EQ(exported("out"), exported("local"));
}

TEST_F(SlurmCluster, TasksThatAreKilledAreSubmittedAgain) {
  write_study(slow_axes);
  ASSERT_EQ(explore("local").status, 0);
  const pid_t submitter = started(command("out", {"--engine=slurm", "--chunk=140", "--quiet"}));
  for (int kill = 0; kill < 2; ++kill) {
    wait_until([] { return queue().find("RUNNING") != std::string::npos; });
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    support::capture_program(experiment::find_program("scancel"), {"--state=RUNNING", "--me"});
    wait_until([] { return queue().find("RUNNING") == std::string::npos; });
  }
  int status = 0;
  ::waitpid(submitter, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(exported("out"), exported("local"));
}

TEST_F(SlurmCluster, ATaskThatFailsForGoodIsToldWithItsLog) {
  write_study(axis("rows", "hardware.array.rows", "[2, 4]"));
  // Of the second task's shard there can be no folder.
  std::filesystem::create_directories(in("out/shards"));
  test::write_text(in("out/shards/2-of-2"), "");
  const support::ProgramOutput said = explore("out", {"--engine=slurm", "--chunk=1"});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, AllOf(HasSubstr("task 2 of 2 ended 3 times without getting on"),
                              HasSubstr("2.log ends with: abacus: "), HasSubstr("2-of-2")));
  EXPECT_FALSE(std::filesystem::exists(in("out/study.sqlite")));
  std::filesystem::remove(in("out/shards/2-of-2"));
  EXPECT_EQ(explore("out", {"--engine=slurm", "--chunk=1"}).status, 0);
}

TEST_F(SlurmCluster, WhatSbatchRefuses) {
  write_study(axes);
  const support::ProgramOutput said =
      explore("out", {"--engine=slurm", "--sbatch=--partition=nowhere"});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, AllOf(HasSubstr("--engine slurm: sbatch: "), HasSubstr("nowhere")));
}

TEST_F(SlurmCluster, ANodeThatDiesCostsNothing) {
  write_study(slow_axes);
  ASSERT_EQ(explore("local").status, 0);
  const pid_t submitter = started(command("out", {"--engine=slurm", "--chunk=140", "--quiet"}));
  wait_until([] { return queue().find("RUNNING right") != std::string::npos; });
  wait_until([&] { return std::filesystem::exists(in("out/shards/2-of-4/study.sqlite")); });
  kill_node("right");
  int status = 0;
  ::waitpid(submitter, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(exported("out"), exported("local"));
}

TEST_F(SlurmExplore, WithoutSlurmThereIsAnError) {
  write_study(axes);
  const std::string before = std::getenv("PATH");
  ::setenv("PATH", "/nowhere", 1);
  const support::ProgramOutput said = explore("out", {"--engine=slurm"});
  ::setenv("PATH", before.c_str(), 1);
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, AllOf(HasSubstr("there is no sbatch on PATH"), HasSubstr("--shard I/N")));
  EXPECT_FALSE(std::filesystem::exists(in("out/study.sqlite")));
}

TEST_F(SlurmExplore, WhatGoesNotTogether) {
  write_study(axes);
  EXPECT_THAT(explore("out", {"--engine=slurm", "--shard=1/2"}).err,
              HasSubstr("goes without --shard"));
  EXPECT_THAT(explore("out", {"--chunk=3"}).err, HasSubstr("go with --engine slurm"));
  EXPECT_THAT(explore("out", {"--engine=cloud"}).err, HasSubstr("--engine"));
  write_study(axes + "[engine.slurm]\nchunk = 0\nsbatch = [\"time=3\"]\ntime = 3\n");
  EXPECT_THAT(explore("out").err,
              AllOf(HasSubstr("engine.slurm.chunk: found 0"), HasSubstr("an option of sbatch"),
                    HasSubstr("unknown key `engine.slurm.time`")));
  write_study(axes + "[engine.pbs]\n");
  EXPECT_THAT(explore("out").err, HasSubstr("unknown key `engine.pbs`"));
  write_study(axes + "[method]\nkind = \"nsga2\"\npoints = 30\n");
  EXPECT_THAT(explore("out", {"--engine=slurm"}).err,
              HasSubstr("a search (method nsga2) has no tasks"));
}

TEST(SlurmQueue, IndicesAsRanges) {
  EXPECT_EQ(ranges_text({1}), "1");
  EXPECT_EQ(ranges_text({1, 2, 3, 5, 7, 8}), "1-3,5,7-8");
}

}  // namespace
}  // namespace abacus::study
