// abacus as people meet it: where its results go, its numbers, its words and its exit status.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "sw/support/child_process.hpp"
#include "sw/support/output_file.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using Words = std::vector<std::string>;

support::ProgramOutput abacus_says(const Words& words) {
  return support::capture_program(ABACUS_PROGRAM, words);
}

class Program : public ::testing::Test {
 protected:
  Program() {
    test::write_text(in("s.toml"),
                     "network = \"lenet\"\narithmetic = \"adder\"\nweights = \"synthetic\"\n"
                     "image = [1, 28, 28]\nclasses = 10\nlevel = \"functional\"\nimages = 1\n");
    test::write_text(in("doc.md"),
                     "<!-- abacus keys hardware -->\n<!-- end of abacus keys hardware -->\n");
  }
  fs::path in(const std::string& name) const { return folder_.path() / name; }
  std::string scenario() const { return in("s.toml").string(); }

  test::TemporaryFolder folder_;
};

// A command and the file that it writes.
struct Writer {
  const char* name;
  std::function<Words(const fs::path&)> words;
  // Where the file lies, and what it begins with.
  fs::path file;
  const char* start;
};

class Writers : public Program {
 protected:
  std::vector<Writer> writers() {
    EXPECT_EQ(abacus_says({"simulate", scenario(), "--quiet", "--out", in("r").string()}).status,
              0);
    fs::create_directory(in("o"));
    const std::string results = in("r/results.json").string();
    return {{"describe",
             [](const fs::path& to) {
               return Words{"describe",      "--network", "lenet",    "--dataset",
                            "fashion-mnist", "--csv",     to.string()};
             },
             in("o/layers.csv"), "layer,"},
            {"report",
             [results](const fs::path& to) {
               return Words{"report", results, "--out", to.string()};
             },
             in("o/page.html"), "<!DOCTYPE html>"},
            {"simulate",
             [this](const fs::path& to) {
               return Words{"simulate", scenario(), "--quiet", "--out", to.parent_path().string()};
             },
             in("o/results.json"), "{"}};
  }
};

TEST_F(Writers, FollowLinksAndLeaveDevicesAndPipesAsTheyAre) {
  for (const Writer& writer : writers()) {
    // A link stays, its file is written.
    fs::create_symlink(in("target"), writer.file);
    ASSERT_EQ(abacus_says(writer.words(writer.file)).status, 0) << writer.name;
    EXPECT_TRUE(fs::is_symlink(writer.file)) << writer.name;
    EXPECT_THAT(test::read_text(in("target")), StartsWith(writer.start)) << writer.name;
    fs::remove(writer.file);
    fs::remove(in("target"));

    // A pipe gets it all.
    ASSERT_EQ(::mkfifo(writer.file.c_str(), 0600), 0);
    std::string read;
    std::thread reader([&] { read = test::read_text(writer.file); });
    EXPECT_EQ(abacus_says(writer.words(writer.file)).status, 0) << writer.name;
    reader.join();
    EXPECT_THAT(read, StartsWith(writer.start)) << writer.name;
    EXPECT_TRUE(fs::is_fifo(writer.file)) << writer.name;
    fs::remove(writer.file);

    for (const char* device : {"/dev/null", "/dev/full"}) {
      fs::create_symlink(device, writer.file);
      const support::ProgramOutput said = abacus_says(writer.words(writer.file));
      EXPECT_EQ(said.status, device == std::string("/dev/null") ? 0 : 1) << writer.name;
      if (said.status != 0) {
        EXPECT_THAT(said.err,
                    AllOf(HasSubstr(writer.file.string()), HasSubstr("No space left on device"),
                          Not(HasSubstr("Traceback"))))
            << writer.name;
      }
      EXPECT_TRUE(fs::is_symlink(writer.file)) << writer.name;
      EXPECT_TRUE(fs::is_character_file(device)) << writer.name;
      // What was finished is kept.
      EXPECT_EQ(fs::remove(in("o/results.partial.jsonl")),
                writer.name == std::string("simulate") && said.status != 0);
      fs::remove(writer.file);
    }
    EXPECT_TRUE(fs::is_empty(in("o"))) << writer.name;
  }
}

TEST_F(Writers, SayInOneLineWhereAndWhyNothingCanBeWritten) {
  for (const Writer& writer : writers()) {
    test::write_text(in("file"), "mine");
    fs::create_directory(in("taken"));
    fs::create_directory(in("taken") / writer.file.filename());
    const std::pair<fs::path, const char*> refused[] = {
        {in("taken") / writer.file.filename(), "it is a folder"},
        {in("file") / writer.file.filename(), "cannot write"},
        {fs::path("/proc/abacus") / writer.file.filename(), "/proc/abacus"}};
    for (const auto& [file, why] : refused) {
      const support::ProgramOutput said = abacus_says(writer.words(file));
      EXPECT_EQ(said.status, 1) << writer.name << ' ' << file;
      EXPECT_THAT(said.err, AllOf(HasSubstr(file.parent_path().string()), HasSubstr(why)))
          << writer.name;
      EXPECT_EQ(std::count(said.err.begin(), said.err.end(), '\n'), 1) << said.err;
    }
    EXPECT_EQ(test::read_text(in("file")), "mine");
    fs::remove_all(in("taken"));
  }
}

TEST_F(Program, ADocumentIsChangedThroughItsLinkOrNotAtAll) {
  fs::create_symlink("doc.md", in("link"));
  EXPECT_EQ(abacus_says({"keys", "hardware", "--into", in("link").string()}).status, 0);
  EXPECT_TRUE(fs::is_symlink(in("link")));
  EXPECT_THAT(test::read_text(in("doc.md")), HasSubstr("clock_mhz"));
}

TEST_F(Program, AnOlderResultStaysUntilAWholeNewerOneReplacesIt) {
  const Words good = {"simulate", scenario(), "--quiet", "--out", in("o").string()};
  ASSERT_EQ(abacus_says(good).status, 0);
  ASSERT_EQ(abacus_says({"report", in("o/results.json").string()}).status, 0);
  const std::string older = test::read_text(in("o/results.json"));
  const std::string text = test::read_text(scenario());
  // An error in the scenario, and one that only the work finds.
  for (const char* more : {"levl = 1\n", "hardware.weight_sram.bytes = 256\n"}) {
    test::write_text(scenario(), text + more);
    EXPECT_EQ(abacus_says(good).status, 1) << more;
    EXPECT_EQ(test::read_text(in("o/results.json")), older) << more;
    EXPECT_TRUE(fs::exists(in("o/report.html"))) << more;
  }
  test::write_text(scenario(), text + "seed = 5\n");
  EXPECT_EQ(abacus_says(good).status, 0);
  EXPECT_NE(test::read_text(in("o/results.json")), older);
  EXPECT_FALSE(fs::exists(in("o/report.html")));  // of the older results
}

TEST_F(Program, ASecondProcessInTheFolderIsRefused) {
  fs::create_directory(in("o"));
  const support::ReservedOutputs first({in("o/results.json")});
  const support::ProgramOutput said =
      abacus_says({"simulate", scenario(), "--quiet", "--out", in("o").string()});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, HasSubstr("results.json: another process is about to write it"));
}

// Runs the program by a shell, for what only the caller can do to it.
std::pair<int, std::string> by_shell(const std::string& command) {
  FILE* pipe = ::popen(("{ " + command + "; } 2>&1").c_str(), "r");
  std::string text;
  char bytes[4096];
  for (std::size_t got = 0; (got = ::fread(bytes, 1, sizeof bytes, pipe)) > 0;) {
    text.append(bytes, got);
  }
  const int status = ::pclose(pipe);
  return {WEXITSTATUS(status), text};
}

TEST_F(Program, EveryCommandTellsThatItsOutputDidNotArrive) {
  const std::string results = in("o/results.json").string();
  ASSERT_EQ(abacus_says({"simulate", scenario(), "--out", in("o").string()}).status, 0);
  for (const std::string& command :
       {std::string("describe --network lenet --dataset cifar10"),
        std::string("describe --network lenet --dataset cifar10 --json"),
        std::string("keys hardware"), std::string("energy horowitz-45nm"),
        std::string("energy horowitz-45nm --json"), std::string("--help"), std::string("--version"),
        "report " + results, "simulate " + scenario() + " --out " + in("o").string()}) {
    for (const char* to : {" >/dev/full", " >&-"}) {
      const auto [status, text] = by_shell(std::string(ABACUS_PROGRAM) + ' ' + command + to);
      EXPECT_EQ(status, 1) << command << to;
      EXPECT_THAT(text, HasSubstr("cannot write to standard output")) << command << to;
    }
  }
}

TEST_F(Program, ClosedStandardStreamsChangeNothingElse) {
  const auto [status, text] =
      by_shell(std::string(ABACUS_PROGRAM) + " describe --network lenet --dataset cifar10 --csv " +
               in("a.csv").string() + " <&- >&- 2>&-");
  EXPECT_EQ(status, 0);
  EXPECT_EQ(abacus_says({"describe", "--network", "lenet", "--dataset", "cifar10", "--csv",
                         in("b.csv").string()})
                .status,
            0);
  EXPECT_EQ(test::read_text(in("a.csv")), test::read_text(in("b.csv")));
}

TEST_F(Program, WrongCommandLinesEndWithStatusOneAndTheNearestName) {
  const std::pair<Words, const char*> wrong[] = {
      {{}, "subcommand"},
      {{"simulat"}, "there is no command simulat; did you mean simulate?"},
      {{"show"}, "there is no command show; known: best, describe, "},
      {{"simulate"}, "simulate: scenario is required"},
      {{"simulate", "s.toml", "--job", "3"}, "--job; did you mean --jobs?"},
      {{"simulate", "s.toml", "--otu=x"}, "did you mean --out?"},
      {{"simulate", "a", "b"}, "not expected: b"},
      {{"describe", "--network", "alexnet"}, "alexnet"},
      {{"describe", "--network", "lenet", "--dataset", "cifar10", "--classes", "3"}, "excludes"},
      {{"keys", "software"}, "software"},
      {{"keys", "hardware", "--into", "/absent"}, "/absent"}};
  for (const auto& [words, message] : wrong) {
    const support::ProgramOutput said = abacus_says(words);
    EXPECT_EQ(said.status, 1) << message;
    EXPECT_THAT(said.err, AllOf(StartsWith("abacus: "), HasSubstr(message)));
    EXPECT_THAT(said.out, IsEmpty());
  }
}

// By each command's own help: no option that takes a whole number is forgotten.
TEST_F(Program, EveryWholeNumberOutOfItsRangeIsRefusedWithWhatIsAllowed) {
  const std::regex number("(--[a-z-]+) U?INT(?: in \\[(-?[0-9]+) to ([0-9]+)\\])?");
  const std::map<std::string, int> statuses = {{"diff", 2}, {"regress", 3}};
  int options = 0;
  for (const char* command :
       {"simulate", "report", "diff", "regress", "describe", "keys", "energy"}) {
    const std::string help = abacus_says({command, "--help"}).out;
    for (std::sregex_iterator at(help.begin(), help.end(), number), end; at != end; ++at) {
      const std::string option = (*at)[1];
      ++options;
      for (const std::string& bad :
           {std::string("-99999999999999999999"), std::string("99999999999999999999"),
            std::string("18446744073709551616"), std::string("1e3"), std::string("0x10"),
            std::string("1.5"), std::string("x"), std::string("1 "), (*at)[3].str() + '0'}) {
        // So many as the option takes.
        const std::string given = option == "--image" ? bad + ',' + bad + ',' + bad : bad;
        const support::ProgramOutput said = abacus_says({command, option + '=' + given});
        EXPECT_EQ(said.status, statuses.count(command) != 0 ? statuses.at(command) : 1)
            << command << ' ' << option << ' ' << bad;
        EXPECT_THAT(said.err, AllOf(HasSubstr(option + ": found " + bad),
                                    HasSubstr("allowed: a whole number, " + (*at)[2].str())))
            << command;
      }
    }
  }
  EXPECT_EQ(options, 8);
}

TEST_F(Program, DiffTellsByItsStatus) {
  for (const char* out : {"a", "b"}) {
    ASSERT_EQ(abacus_says({"simulate", scenario(), "--quiet", "--out", in(out).string()}).status,
              0);
  }
  ASSERT_EQ(abacus_says({"simulate", scenario(), "--quiet", "--out", in("c").string(),
                         "--set=hardware.array.rows=8"})
                .status,
            0);
  EXPECT_EQ(abacus_says({"diff", in("a").string(), in("b").string()}).status, 0);
  const support::ProgramOutput said =
      abacus_says({"diff", in("a").string(), in("c/results.json").string()});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.out, HasSubstr("hardware.array.rows: 16 → 8"));
  const support::ProgramOutput json =
      abacus_says({"diff", in("a").string(), in("c").string(), "--json"});
  EXPECT_EQ(json.status, 1);
  EXPECT_THAT(json.out, StartsWith("{\"command\":\"diff\",\"schema\":1,\"a\":{"));
  const std::vector<Words> wrong = {{"diff"},
                                    {"diff", in("a").string()},
                                    {"diff", in("a").string(), "/absent"},
                                    {"diff", in("a").string(), in("s.toml").string()},
                                    {"diff", in("a").string(), in("b").string(), "--tpo=1"}};
  for (const Words& words : wrong) {
    const support::ProgramOutput refused = abacus_says(words);
    EXPECT_EQ(refused.status, 2) << words.back();
    EXPECT_THAT(refused.err, StartsWith("abacus: ")) << words.back();
  }
}

TEST_F(Program, TheVersionTellsWhatItWasBuiltFrom) {
  const support::ProgramOutput said = abacus_says({"--version"});
  EXPECT_EQ(said.status, 0);
  EXPECT_THAT(said.out, AllOf(StartsWith("abacus "), HasSubstr("\ncommit    "),
                              HasSubstr("\ncompiler  "), HasSubstr("SystemC ")));
}

TEST_F(Program, AScenarioThatIsNoneIsNamed) {
  const support::ProgramOutput said = abacus_says({"simulate", folder_.path().string()});
  EXPECT_EQ(said.status, 1);
  EXPECT_EQ(said.err,
            "abacus: " + folder_.path().string() + ": cannot read the file: it is a folder\n");
}

TEST_F(Program, AHomeWithoutScenariosIsNamed) {
  const auto [status, text] = by_shell("ABACUS_HOME=" + folder_.path().string() + ' ' +
                                       ABACUS_PROGRAM + " simulate " + scenario());
  EXPECT_EQ(status, 1);
  EXPECT_THAT(text, HasSubstr("ABACUS_HOME: " + folder_.path().string() +
                              ": there is no folder scenarios in it"));
}

TEST_F(Program, NamesThatBeginWithADashAreNames) {
  ASSERT_EQ(abacus_says({"simulate", scenario(), "--quiet", "--out", in("o").string()}).status, 0);
  fs::rename(in("o/results.json"), in("-r.json"));
  const auto [status, text] = by_shell("cd " + folder_.path().string() + " && " + ABACUS_PROGRAM +
                                       " report --out=-p.html -- -r.json");
  EXPECT_EQ(status, 0) << text;
  EXPECT_TRUE(fs::exists(in("-p.html")));
}

TEST_F(Program, EnergiesWithoutBoundGiveNoResults) {
  const std::string text =
      test::read_text(fs::path(ABACUS_SOURCE_FOLDER) / "scenarios/energy/horowitz-45nm.toml");
  const std::regex amount("pj = [0-9.]+");
  test::write_text(in("t.toml"), std::regex_replace(text, amount, "pj = 1e308"));
  test::write_text(scenario(), test::read_text(scenario()) + "energy.table = \"t.toml\"\n");
  const support::ProgramOutput said =
      abacus_says({"simulate", scenario(), "--out", in("o").string()});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err,
              AllOf(HasSubstr("t.toml:"), HasSubstr("allowed: a number from 0 to 1e+12")));
  EXPECT_FALSE(fs::exists(in("o/results.json")));
  EXPECT_EQ(said.out.find("inf"), std::string::npos);
}

TEST_F(Program, ImagesThatNoHardwareTakesAreRefusedBeforeTheyAreMade) {
  test::write_text(scenario(),
                   "network = \"resnet20\"\narithmetic = \"adder\"\nweights = \"synthetic\"\n"
                   "image = [4096, 4096, 4096]\nclasses = 10\n");
  const support::ProgramOutput said =
      abacus_says({"simulate", scenario(), "--out", in("o").string()});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, AllOf(StartsWith("abacus: "), Not(HasSubstr("bad_alloc"))));
}

}  // namespace
}  // namespace abacus::cli
