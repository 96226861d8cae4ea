#include "sw/support/forked_work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <set>

namespace abacus::support {
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

TEST(RunForked, AProcessThatDiesIsToldWhileTheOthersGoOn) {
  const Work work = [](int task, const Report&) -> nlohmann::json {
    if (task == 1) ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
  };
  try {
    run_forked(3, work, [](std::int64_t) {});
    FAIL() << "no error";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("(Killed)"));
  }
}

}  // namespace
}  // namespace abacus::support
