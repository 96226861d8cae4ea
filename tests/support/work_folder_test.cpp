#include "sw/support/work_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/support/temporary_folder.hpp"

namespace abacus::support {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(WorkFolder, IsRemovedWithAllThatIsInIt) {
  const test::TemporaryFolder parent;
  {
    const WorkFolder first(parent.path(), "making");
    const WorkFolder second(parent.path(), "making");
    EXPECT_NE(first.path(), second.path());
    std::filesystem::create_directory(first.path() / "below");
    test::write_text(first.path() / "below" / "file", "x");
    EXPECT_TRUE(std::filesystem::is_directory(second.path()));
  }
  EXPECT_THAT(parent.files(), IsEmpty());
}

TEST(WorkFolder, TheNextOneRemovesWhatAKilledProcessLeftAndNoOther) {
  const test::TemporaryFolder parent;
  std::filesystem::create_directory(parent.path() / "making-older");  // of a version without locks
  std::filesystem::create_directory(parent.path() / "other");
  const WorkFolder living(parent.path(), "making");
  EXPECT_THAT(parent.files(), SizeIs(2));
  const pid_t process = ::fork();
  ASSERT_GE(process, 0);
  if (process == 0) {
    const WorkFolder left(parent.path(), "making");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(process, &status, 0), process);
  EXPECT_THAT(parent.files(), SizeIs(3));
  { const WorkFolder next(parent.path(), "making"); }
  EXPECT_THAT(parent.files(), SizeIs(2));
  EXPECT_TRUE(std::filesystem::is_directory(living.path()));
}

TEST(WorkFolder, AParentThatIsNotThereIsNamed) {
  const test::TemporaryFolder parent;
  try {
    const WorkFolder folder(parent.path() / "absent", "making");
    FAIL() << "made";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr((parent.path() / "absent").string()));
  }
}

}  // namespace
}  // namespace abacus::support
