// What abacus explore refuses, and what it leaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <string>
#include <vector>

#include "sw/support/child_process.hpp"
#include "tests/study/study_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::study {
namespace {

using test::axis;
using ::testing::AllOf;
using ::testing::HasSubstr;

class BadExplore : public ::testing::Test {
 protected:
  BadExplore() { write_study(axis("rows", "hardware.array.rows", "[4, 8, 16]")); }
  std::string in(const std::string& name) const { return (folder_.path() / name).string(); }
  void write_study(const std::string& axes) const {
    test::write_text(in("s.toml"), test::study_head() + axes);
  }
  support::ProgramOutput explore(std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"explore", in("s.toml"), "--out=" + in("out")};
    words.insert(words.end(), more.begin(), more.end());
    return support::capture_program(ABACUS_PROGRAM, words);
  }

  test::TemporaryFolder folder_;
};

TEST_F(BadExplore, AFolderOfAnotherStudy) {
  ASSERT_EQ(explore().status, 0);
  const std::string before = test::read_text(in("out/study.sqlite"));
  write_study(axis("rows", "hardware.array.rows", "[4, 8]"));
  const support::ProgramOutput said = explore();
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, AllOf(HasSubstr("holds the study \"small\" with other axes"),
                              HasSubstr("another folder")));
  std::filesystem::create_directory(in("other"));
  test::write_text(in("other/study.sqlite"),
                   "no database, but longer than a header of one would be: "
                   "a hundred bytes at least, for which this goes on");
  const support::ProgramOutput damaged =
      support::capture_program(ABACUS_PROGRAM, {"explore", in("s.toml"), "--out=" + in("other")});
  EXPECT_EQ(damaged.status, 1);
  EXPECT_THAT(damaged.err, HasSubstr("study.sqlite: "));
}

TEST_F(BadExplore, MorePointsThanTheLimit) {
  write_study(
      "[[axis]]\nkey = \"hardware.array.rows\"\nfrom = 1\nto = 101\nstep = 1\n"
      "[[axis]]\nkey = \"hardware.array.columns\"\nfrom = 1\nto = 100\nstep = 1\n");
  const support::ProgramOutput said = explore();
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, AllOf(HasSubstr("has 10100 points"), HasSubstr("--yes")));
}

TEST_F(BadExplore, CommandLines) {
  EXPECT_THAT(explore({"--shard=3/2"}).err, HasSubstr("--shard: found 3/2"));
  EXPECT_THAT(explore({"--shard=4/4"}).err, HasSubstr("more shards than points"));
  EXPECT_THAT(support::capture_program(ABACUS_PROGRAM, {"explore", in("s.toml")}).err,
              HasSubstr("give --out DIR"));
  EXPECT_THAT(support::capture_program(ABACUS_PROGRAM, {"export", in("nowhere")}).err,
              HasSubstr("is no study's folder"));
}

TEST_F(BadExplore, AFullDisk) {
  write_study("[[axis]]\nkey = \"hardware.array.rows\"\nfrom = 1\nto = 60\nstep = 1\n");
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{96 * 1024, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const support::ProgramOutput said = explore();
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, AllOf(HasSubstr("study.sqlite: "), HasSubstr("the same command goes on")));
  EXPECT_EQ(explore().status, 0);
  EXPECT_THAT(support::capture_program(ABACUS_PROGRAM, {"best", in("out")}).out, HasSubstr("rows"));
}

}  // namespace
}  // namespace abacus::study
