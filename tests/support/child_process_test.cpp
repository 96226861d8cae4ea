#include "sw/support/child_process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "tests/support/temporary_folder.hpp"

namespace abacus {
namespace {

using ::testing::HasSubstr;

TEST(RunForked, GivesResultsInOrderOfTasksEachFromItsOwnProcess) {
  const Work work = [](int task, const Report& report) {
    report(task + 1);
    return nlohmann::json{{"task", task}, {"process", ::getpid()}};
  };
  std::int64_t last = 0;
  const auto results = run_forked(5, work, [&](std::int64_t done) { last = done; });
  ASSERT_EQ(results.size(), 5u);
  std::set<int> processes{::getpid()};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(results[static_cast<std::size_t>(i)]["task"], i);
    processes.insert(results[static_cast<std::size_t>(i)]["process"].get<int>());
  }
  EXPECT_EQ(processes.size(), 6u);
  EXPECT_EQ(last, 1 + 2 + 3 + 4 + 5);
}

TEST(RunForked, PassesOnAResultLargerThanAPipe) {
  const Work work = [](int, const Report&) { return nlohmann::json(std::string(3 << 20, 'x')); };
  const auto results = run_forked(2, work, [](std::int64_t) {});
  EXPECT_EQ(results[1].get<std::string>().size(), std::size_t{3} << 20);
}

TEST(RunForked, PassesOnATasksErrorAndEndsTheOthers) {
  const Work work = [](int task, const Report&) -> nlohmann::json {
    if (task == 1) throw std::runtime_error("task 1 broke");
    for (;;) ::pause();
  };
  try {
    run_forked(3, work, [](std::int64_t) {});
    FAIL() << "no error";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "task 1 broke");
  }
}

TEST(RunForked, AProcessThatDiesIsAnError) {
  const Work work = [](int, const Report&) -> nlohmann::json {
    ::kill(::getpid(), SIGKILL);
    return nullptr;
  };
  try {
    run_forked(1, work, [](std::int64_t) {});
    FAIL() << "no error";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr(std::to_string(128 + SIGKILL)));
  }
}

TEST(CaptureProgram, GivesStatusAndBothOutputs) {
  const ProgramOutput output =
      capture_program("/bin/sh", {"-c", "echo answer; echo complaint >&2; exit 3"});
  EXPECT_EQ(output.status, 3);
  EXPECT_EQ(output.out, "answer\n");
  EXPECT_EQ(output.err, "complaint\n");
}

TEST(CaptureProgram, TakesMoreThanAPipeHolds) {
  const ProgramOutput output =
      capture_program("/bin/sh", {"-c", "head -c 1000000 /dev/zero; head -c 300000 /dev/zero >&2"});
  EXPECT_EQ(output.out.size(), 1000000u);
  EXPECT_EQ(output.err.size(), 300000u);
}

TEST(RunProgram, GivesTheExitStatus) {
  EXPECT_EQ(run_program("/bin/sh", {"-c", "exit 0"}, ChildOutput::discard), 0);
  EXPECT_EQ(run_program("/bin/sh", {"-c", "exit 7"}, ChildOutput::discard), 7);
  EXPECT_EQ(run_program("/bin/sh", {"-c", "kill -9 $$"}, ChildOutput::discard), 128 + SIGKILL);
  EXPECT_EQ(run_program("/no/such/program", {}, ChildOutput::discard), 127);
}

TEST(RunProgram, PassesArgumentsAsTheyAre) {
  const test::TemporaryFolder folder;
  const std::string file = (folder.path() / "out").string();
  run_program("/bin/sh", {"-c", "printf %s \"$2\" > \"$1\"", "sh", file, "a b;c $HOME"},
              ChildOutput::discard);
  EXPECT_EQ(test::read_text(file), "a b;c $HOME");
}

}  // namespace
}  // namespace abacus
