#include "sw/support/child_process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include "tests/support/temporary_folder.hpp"

namespace abacus::support {
namespace {

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
}

TEST(RunProgram, AProgramThatCannotRunIsAnError) {
  try {
    run_program("/no/such/program", {}, ChildOutput::discard);
    FAIL() << "no error";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "cannot run /no/such/program: No such file or directory");
  }
}

TEST(RunProgram, TheProgramInheritsNoOpenFile) {
  const int open_file = ::open("/dev/null", O_RDONLY);  // not closed on exec
  ASSERT_GT(open_file, STDERR_FILENO);
  const std::string inherited = "/proc/$$/fd/" + std::to_string(open_file);
  EXPECT_NE(run_program("/bin/sh", {"-c", "test -e " + inherited}, ChildOutput::discard), 0);
  EXPECT_EQ(run_program("/bin/sh", {"-c", "test -e /proc/$$/fd/0"}, ChildOutput::discard), 0);
  ::close(open_file);
}

TEST(RunProgram, PassesArgumentsAsTheyAre) {
  const test::TemporaryFolder folder;
  const std::string file = (folder.path() / "out").string();
  run_program("/bin/sh", {"-c", "printf %s \"$2\" > \"$1\"", "sh", file, "a b;c $HOME"},
              ChildOutput::discard);
  EXPECT_EQ(test::read_text(file), "a b;c $HOME");
}

TEST(Dialogue, ALineForALine) {
  Dialogue echo("/bin/sh", {"-c", "while read -r line; do echo \"<$line>\"; done"});
  EXPECT_EQ(echo.ask("one"), "<one>");
  const std::string longer(300'000, 'x');
  EXPECT_EQ(echo.ask(longer), '<' + longer + '>');
  EXPECT_EQ(echo.ask(""), "<>");
}

TEST(Dialogue, WithAProgramThatIsNotThereOrEnds) {
  EXPECT_THROW(Dialogue("/nowhere/cat", {}), std::runtime_error);
  Dialogue ends("/bin/false", {});
  EXPECT_THROW(ends.ask("one"), std::runtime_error);
  EXPECT_THROW(ends.ask("two"), std::runtime_error);
}

}  // namespace
}  // namespace abacus::support
