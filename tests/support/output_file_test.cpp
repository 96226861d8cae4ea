#include "sw/support/output_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sw/support/forked_work.hpp"
#include "sw/support/stop_request.hpp"
#include "tests/support/other_user.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::support {
namespace {

namespace fs = std::filesystem;
using test::read_text;
using test::write_text;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string error_of(const std::function<void()>& step) {
  try {
    step();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no error";
}

void write(const fs::path& file, const std::string& text) {
  write_output(file, [&](std::ostream& out) { out << text; });
}

// Ends without destructors, as after SIGKILL.
template <typename Step>
void in_a_killed_process(const Step& step) {
  const pid_t process = ::fork();
  ASSERT_GE(process, 0);
  if (process == 0) {
    step();
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(process, &status, 0), process);
  ASSERT_TRUE(WIFSIGNALED(status));
}

class WriteOutput : public ::testing::Test {
 protected:
  fs::path in(const std::string& name) const { return folder_.path() / name; }
  static mode_t mode_of(const fs::path& file) {
    struct stat status {};
    EXPECT_EQ(::lstat(file.c_str(), &status), 0) << file;
    return status.st_mode;
  }

  test::TemporaryFolder folder_;
};

TEST_F(WriteOutput, ReplacesAFileAndKeepsItsMode) {
  write(in("a"), "first");
  EXPECT_EQ(mode_of(in("a")) & 0777U, 0666U & ~::umask(::umask(022)));
  EXPECT_EQ(::chmod(in("a").c_str(), 0640), 0);
  write(in("a"), "second");
  EXPECT_EQ(test::read_text(in("a")), "second");
  EXPECT_EQ(mode_of(in("a")) & 0777U, 0640U);
  EXPECT_THAT(folder_.files(), ElementsAre("a"));
}

TEST_F(WriteOutput, LargeContentArrivesWhole) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += std::to_string(i) + '\n';
  write(in("a"), text);
  EXPECT_EQ(test::read_text(in("a")), text);
}

TEST_F(WriteOutput, WhatFailsLeavesTheOldContentAndNothingElse) {
  write(in("a"), "old");
  EXPECT_THROW(write_output(in("a"),
                            [](std::ostream& out) {
                              out << "half" << std::flush;
                              throw std::logic_error("broken");
                            }),
               std::logic_error);
  EXPECT_THAT(error_of([&] {
                write_output(in("a"), [](std::ostream& out) { out.setstate(std::ios::badbit); });
              }),
              HasSubstr(in("a").string() + ": cannot write it"));
  EXPECT_EQ(test::read_text(in("a")), "old");
  EXPECT_THAT(folder_.files(), ElementsAre("a"));
}

// A disk that is full in the middle, in the shape of a limit on a file's size.
TEST_F(WriteOutput, AFileThatDoesNotFitLeavesTheOldContent) {
  write(in("a"), "old");
  const pid_t process = ::fork();
  ASSERT_GE(process, 0);
  if (process == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {100000, 100000};
    const bool limited = ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
    const std::string said = error_of([&] { write(in("a"), std::string(1000000, 'x')); });
    ::_exit(limited && said == in("a").string() + ": cannot write it: File too large" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(process, &status, 0), process);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(test::read_text(in("a")), "old");
  EXPECT_THAT(folder_.files(), ElementsAre("a"));
}

TEST_F(WriteOutput, LinksAreFollowedAndStay) {
  fs::create_directory(in("there"));
  test::write_text(in("there/file"), "old");
  fs::create_symlink("there/file", in("link"));
  fs::create_symlink("link", in("link of a link"));
  fs::create_symlink("there/new", in("dangling"));
  write(in("link of a link"), "new");
  write(in("dangling"), "made");
  EXPECT_EQ(test::read_text(in("there/file")), "new");
  EXPECT_EQ(test::read_text(in("there/new")), "made");
  for (const char* link : {"link", "link of a link", "dangling"}) {
    EXPECT_TRUE(fs::is_symlink(in(link))) << link;
  }
  fs::create_symlink("round", in("round"));
  EXPECT_THAT(error_of([&] { write(in("round"), "x"); }), HasSubstr(in("round").string() + ": "));
}

TEST_F(WriteOutput, DevicesAreWrittenAndStay) {
  fs::create_symlink("/dev/null", in("null"));
  fs::create_symlink("/dev/full", in("full"));
  write(in("null"), "x");
  EXPECT_THAT(error_of([&] { write(in("full"), "x"); }),
              HasSubstr(in("full").string() + ": cannot write it: No space left on device"));
  check_output(in("full"));
  EXPECT_TRUE(S_ISCHR(mode_of("/dev/null")));
  EXPECT_TRUE(S_ISCHR(mode_of("/dev/full")));
  EXPECT_THAT(folder_.files(), ElementsAre("full", "null"));
}

TEST_F(WriteOutput, APipeIsWrittenAndStays) {
  ASSERT_EQ(::mkfifo(in("pipe").c_str(), 0600), 0);
  check_output(in("pipe"));
  std::string text(300000, 'x');
  text += "end";
  std::string read;
  std::thread reader([&] { read = test::read_text(in("pipe")); });
  write(in("pipe"), text);
  reader.join();
  EXPECT_EQ(read, text);
  EXPECT_TRUE(S_ISFIFO(mode_of(in("pipe"))));
}

TEST_F(WriteOutput, APipeWhoseReaderGoesAwayIsAnError) {
  ASSERT_EQ(::mkfifo(in("pipe").c_str(), 0600), 0);
  std::thread reader([&] {
    const int descriptor = ::open(in("pipe").c_str(), O_RDONLY | O_CLOEXEC);
    char byte = 0;
    EXPECT_EQ(::read(descriptor, &byte, 1), 1);
    ::close(descriptor);
  });
  EXPECT_THAT(error_of([&] { write(in("pipe"), std::string(1000000, 'x')); }),
              HasSubstr("Broken pipe"));
  reader.join();
}

// With the handlers that the programs have, which restart what waits.
TEST_F(WriteOutput, AStopIsHeardWhileAPipeHasNoReaderOrNoRoom) {
  ASSERT_EQ(::mkfifo(in("pipe").c_str(), 0600), 0);
  for (const bool has_reader : {false, true}) {
    const pid_t process = ::fork();
    ASSERT_GE(process, 0);
    if (process == 0) {
      catch_stop_signals();
      if (has_reader) ::open(in("pipe").c_str(), O_RDONLY | O_NONBLOCK);
      std::thread([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        ::kill(::getpid(), SIGTERM);
      }).detach();
      int status = 1;
      try {
        write(in("pipe"), std::string(1000000, 'x'));
      } catch (const Stopped&) {
        status = 0;
      }
      ::_exit(status);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(process, &status, 0), process);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << has_reader;
  }
}

TEST_F(WriteOutput, OurOwnDescriptorsAreWrittenWhereTheyStand) {
  for (const std::string start : {"/proc/self/fd/", "/dev/fd/"}) {
    const int descriptor =
        ::open(in("log").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ASSERT_GE(descriptor, 0);
    ASSERT_EQ(::write(descriptor, "before ", 7), 7);
    fs::create_symlink(start + std::to_string(descriptor), in("link"));
    check_output(in("link"));
    write(in("link"), "it");
    ASSERT_EQ(::write(descriptor, " after", 6), 6);
    ::close(descriptor);
    EXPECT_EQ(test::read_text(in("log")), "before it after");
    EXPECT_THAT(error_of([&] { write(in("link"), "x"); }), HasSubstr(in("link").string()));
    fs::remove(in("link"));
  }
  const int reading = ::open(in("log").c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_THAT(error_of([&] { check_output("/dev/fd/" + std::to_string(reading)); }),
              HasSubstr("open for reading alone"));
  ::close(reading);
}

// What nobody can write, each found before and by the writing itself.
TEST_F(WriteOutput, RefusesWithTheNameWhatCannotBeWritten) {
  fs::create_directory(in("folder"));
  test::write_text(in("file"), "x");
  fs::create_symlink("absent/file", in("dangling"));
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(in("socket").string().size(), sizeof address.sun_path);
  in("socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const std::pair<std::string, std::string> refused[] = {
      {"folder", "it is a folder"},
      {"folder/", "a folder's name"},
      {"absent/a", "there is no folder"},
      {"file/a", "Not a directory"},
      {"dangling", "there is no folder"},
      {"socket", "it is a socket"},
      {std::string(256, 'a'), "File name too long"}};
  for (const auto& [name, message] : refused) {
    const fs::path file = in(name);
    const auto named = testing::AllOf(HasSubstr(file.string() + ": "), HasSubstr(message));
    EXPECT_THAT(error_of([&] { write(file, "x"); }), named);
    EXPECT_THAT(error_of([&] { check_output(file); }), named);
    EXPECT_THAT(error_of([&] { ReservedOutputs({file}); }), named);
  }
  ::close(socket);
  EXPECT_THAT(error_of([] { check_output(""); }), HasSubstr("without a name"));
  EXPECT_THAT(error_of([] { check_output("/proc/absent"); }), HasSubstr("/proc/absent: "));
  EXPECT_THAT(folder_.files(), ElementsAre("dangling", "file", "folder", "socket"));
}

TEST_F(WriteOutput, ReadOnlyFilesAndFoldersAreRefused) {
  test::write_text(in("read-only"), "old");
  fs::create_directory(in("closed"));
  for (const char* name : {"", "read-only", "closed"}) test::give_to_plain_user(in(name));
  ASSERT_EQ(::chmod(in("read-only").c_str(), 0444), 0);
  ASSERT_EQ(::chmod(in("closed").c_str(), 0555), 0);
  for (const char* name : {"read-only", "closed/a"}) {
    const auto denied =
        testing::AllOf(HasSubstr(in(name).string()), HasSubstr("Permission denied"));
    EXPECT_THAT(test::as_plain_user([&] {
                  write(in(name), "new");
                  return "written";
                }),
                denied);
    EXPECT_THAT(test::as_plain_user([&] {
                  ReservedOutputs({in(name)});
                  return "taken";
                }),
                denied);
  }
  EXPECT_EQ(test::read_text(in("read-only")), "old");
  EXPECT_THAT(folder_.files(), ElementsAre("closed", "read-only"));
}

TEST_F(WriteOutput, AnotherUsersFileInAStickyFolderIsRefusedBefore) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs files of two users";
  test::write_text(in("a"), "old");
  ASSERT_EQ(::chmod(in("a").c_str(), 0666), 0);
  ASSERT_EQ(::chmod(folder_.path().c_str(), 01777), 0);
  EXPECT_THAT(test::as_plain_user([&] {
                check_output(in("a"));
                return "good";
              }),
              HasSubstr("sticky"));
}

// A process may be killed at any moment.
TEST_F(WriteOutput, AKilledWriterLeavesTheOldContentAndTheNextOneSweeps) {
  write(in("a"), "old");
  in_a_killed_process([&] {
    write_output(in("a"), [](std::ostream& out) {
      out << std::string(200000, 'x') << std::flush;
      ::kill(::getpid(), SIGKILL);
    });
  });
  EXPECT_EQ(test::read_text(in("a")), "old");
  EXPECT_THAT(folder_.files(), SizeIs(2));
  write(in("b"), "x");
  EXPECT_THAT(folder_.files(), ElementsAre("a", "b"));
}

TEST_F(WriteOutput, TheSweepLeavesWhatIsBeingWrittenAndWhatOthersMade) {
  test::write_text(in(".abacus-0123456789abcdef.partial"), "left");
  test::write_text(in(".abacus-0123456789abcdef.partial.txt"), "mine");
  test::write_text(in(".abacus-notes.partial"), "mine");
  fs::create_symlink(in(".abacus-notes.partial"), in(".abacus-00000000000000aa.partial"));
  write_output(in("a"), [&](std::ostream& out) {
    out << "outer";
    write(in("b"), "inner");
  });
  EXPECT_EQ(test::read_text(in("a")), "outer");
  EXPECT_THAT(folder_.files(), ElementsAre(".abacus-00000000000000aa.partial",
                                           ".abacus-0123456789abcdef.partial.txt",
                                           ".abacus-notes.partial", "a", "b"));
}

TEST_F(WriteOutput, TheTemporaryNameCannotBeForeseen) {
  std::set<std::string> names;
  for (int i = 0; i < 20; ++i) {
    write_output(in("a"), [&](std::ostream&) {
      for (const std::string& name : folder_.files()) names.insert(name);
    });
  }
  EXPECT_GE(names.size(), 20U);
}

class Reserved : public WriteOutput {};

TEST_F(Reserved, LeavesNothingAndChangesNothing) {
  test::write_text(in("a"), "old");
  { const ReservedOutputs reserved({in("a"), in("b"), "/dev/null"}); }
  EXPECT_EQ(test::read_text(in("a")), "old");
  EXPECT_THAT(folder_.files(), ElementsAre("a"));
}

TEST_F(Reserved, ASecondProcessIsRefusedWhateverNameItUses) {
  fs::create_symlink("a", in("link"));
  const ReservedOutputs reserved({in("a")});
  for (const char* name : {"a", "link"}) {
    const auto refused = HasSubstr(in(name).string() + ": another process is about to write it");
    EXPECT_THAT(error_of([&] { ReservedOutputs({in(name)}); }), refused);
    const Work task = [&](int, const Report&) {
      return nlohmann::json(error_of([&] { ReservedOutputs({in(name)}); }));
    };
    EXPECT_THAT(run_forked(1, task, [](std::int64_t) {}).front().get<std::string>(), refused);
  }
  write(in("a"), "written while reserved");
}

TEST_F(Reserved, AKilledProcessHoldsNothing) {
  in_a_killed_process([&] {
    const ReservedOutputs reserved({in("a")});
    ::kill(::getpid(), SIGKILL);
  });
  EXPECT_THAT(folder_.files(), ElementsAre(".a.lock"));
  { const ReservedOutputs reserved({in("a")}); }
  EXPECT_THAT(folder_.files(), IsEmpty());
}

TEST_F(Reserved, OneFileForTwoResultsOrForInputAndOutputIsRefused) {
  test::write_text(in("a"), "x");
  fs::create_symlink("a", in("link"));
  fs::create_hard_link(in("a"), in("hard"));
  EXPECT_THAT(error_of([&] {
                ReservedOutputs({in("a"), in("link")});
              }),
              HasSubstr("two results are to be written there"));
  for (const char* input : {"a", "link", "hard"}) {
    EXPECT_THAT(error_of([&] { ReservedOutputs({in("a")}, {in(input)}); }),
                HasSubstr(in("a").string() + ": is read, too"));
  }
  ReservedOutputs({in("a")}, {in("absent"), ""});
}

TEST_F(Reserved, ManyProcessesWriteOneFileInTurn) {
  std::vector<pid_t> processes;
  for (int i = 0; i < 8; ++i) {
    const pid_t process = ::fork();
    ASSERT_GE(process, 0);
    if (process == 0) {
      for (int k = 0; k < 50; ++k) write(in("a"), std::string(1000, static_cast<char>('a' + i)));
      ::_exit(0);
    }
    processes.push_back(process);
  }
  for (const pid_t process : processes) {
    int status = 0;
    ASSERT_EQ(::waitpid(process, &status, 0), process);
    EXPECT_EQ(status, 0);
  }
  const std::string text = test::read_text(in("a"));
  EXPECT_EQ(text, std::string(1000, text[0]));
  EXPECT_THAT(folder_.files(), ElementsAre("a"));
}

TEST(MakeOutputFolder, MakesAllOfItOrNamesWhatStandsThere) {
  const test::TemporaryFolder folder;
  make_output_folder(folder.path() / "a/b/c");
  make_output_folder(folder.path() / "a/b/c");
  EXPECT_TRUE(fs::is_directory(folder.path() / "a/b/c"));
  test::write_text(folder.path() / "file", "x");
  EXPECT_THAT(error_of([&] { make_output_folder(folder.path() / "file"); }),
              HasSubstr("file: cannot write into it: it is no folder"));
  EXPECT_THAT(error_of([&] { make_output_folder(folder.path() / "file/a"); }),
              HasSubstr("file/a: cannot make the folder: Not a directory"));
}

}  // namespace
}  // namespace abacus::support
