// abacus-train as people meet it: where its results go, its numbers, its words and its exit status.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <regex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sw/support/output_file.hpp"
#include "tests/cli/trainer_fixture.hpp"

namespace abacus::cli {
namespace {

namespace fs = std::filesystem;
using test::Outcome;
using test::run;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

int exit_of(const Outcome& outcome) { return WEXITSTATUS(outcome.status); }

class TrainerProgram : public test::PackageCommands {
 protected:
  // Each command that writes, with short work, but for the file that it writes.
  std::vector<std::pair<std::string, std::string>> writers() {
    make_package();
    const std::string checkpoint = " --checkpoint " + file().string();
    const std::string short_work = " --calibration-images 40 --bn-images 40 --threads 1";
    return {{"quantize", "quantize --scheme uniform-ptq --weight-bits 4 --activation-bits 4" +
                             checkpoint + short_work + " --out "},
            {"statistics", "statistics --images 10 --threads 1" + checkpoint + " --out "},
            {"activations", "activations --images 10 --threads 1" + checkpoint + " --package " +
                                package() + " --out "}};
  }
  fs::path in(const std::string& name) const { return folder_.path() / name; }
};

TEST_F(TrainerProgram, WritersFollowLinksAndLeaveDevicesAndPipesAsTheyAre) {
  for (const auto& [name, command] : writers()) {
    const fs::path link = in("link");
    fs::create_symlink("target", link);
    const Outcome through = test::run(command + link.string());
    ASSERT_EQ(exit_of(through), 0) << through.text;
    EXPECT_TRUE(fs::is_symlink(link)) << name;
    const std::string content = test::read_text(in("target"));
    EXPECT_FALSE(content.empty());
    fs::remove(link);

    ASSERT_EQ(::mkfifo(link.c_str(), 0600), 0);
    std::string read;
    std::thread reader([&] { read = test::read_text(link); });
    EXPECT_EQ(exit_of(test::run(command + link.string())), 0) << name;
    reader.join();
    EXPECT_EQ(read, content) << name;
    fs::remove(link);

    fs::create_symlink("/dev/full", link);
    const Outcome full = test::run(command + link.string());
    EXPECT_EQ(exit_of(full), 1) << name;
    EXPECT_THAT(full.text, HasSubstr(link.string() + ": cannot write it: No space left")) << name;
    EXPECT_TRUE(fs::is_symlink(link) && fs::is_character_file("/dev/full")) << name;
    fs::remove(link);
  }
}

// Before images are read, which there are none of in this folder.
TEST_F(TrainerProgram, WhatCannotBeWrittenIsToldBeforeAnyWork) {
  const std::string checkpoint = " --checkpoint " + file().string();
  const std::string data = " --data " + in("no-data").string();
  fs::create_directory(in("taken.safetensors"));
  fs::create_directory(in("t.csv"));
  fs::create_directory(in("s.state"));
  const std::string quantize = "quantize --scheme uniform-ptq --weight-bits 4 --activation-bits 4" +
                               checkpoint + data + " --out ";
  const std::string qat = "qat --scheme uniform --weight-bits 4 --activation-bits 4 --epochs 1" +
                          checkpoint + data + " --out ";
  const std::string train = "train --arithmetic cnn --epochs 1" + data + " --out ";
  const std::string csv = " --images 10" + checkpoint + data + " --out ";
  const std::pair<std::string, std::string> refused[] = {
      {quantize + in("absent/x").string(), "there is no folder"},
      {quantize + in("taken.safetensors").string(), "it is a folder"},
      {quantize + file().string(), "is read, too"},
      {"statistics" + csv + in("absent/x").string(), "there is no folder"},
      {"activations --package p" + csv + in("absent/x").string(), "there is no folder"},
      {"import --from " + in("x.pth").string() + " --out " + in("absent/x").string(),
       "there is no folder"},
      {train + in("t.safetensors").string(), "t.csv: cannot write it: it is a folder"},
      {train + in("absent/t.safetensors").string(), "there is no folder"},
      {qat + in("t.safetensors").string(), "t.csv: cannot write it: it is a folder"},
      {qat + in("q.safetensors").string() + " --out-checkpoint " + in("q.safetensors").string(),
       "two results are to be written there"},
      {qat + in("q.safetensors").string() + " --out-checkpoint " + file().string(),
       "is read, too"}};
  for (const auto& [command, message] : refused) {
    const Outcome outcome = test::run(command);
    EXPECT_EQ(exit_of(outcome), 1) << command;
    EXPECT_THAT(outcome.text, AllOf(HasSubstr("abacus-train: "), HasSubstr(message))) << command;
  }
  const support::ReservedOutputs other({in("busy.safetensors")});
  EXPECT_THAT(test::run(qat + in("busy.safetensors").string()).text,
              HasSubstr("another process is about to write it"));
}

TEST_F(TrainerProgram, WrongCommandLinesEndWithStatusOneAndTheNearestName) {
  const std::pair<const char*, const char*> wrong[] = {
      {"quantise", "there is no command quantise; did you mean quantize?"},
      {"", "subcommand"},
      {"quantize", "required"},
      {"levels --bitz 3", "did you mean --bits?"},
      {"levels --bits 9", "--bits: found 9; allowed: a whole number, 2 to 8"},
      {"evaluate --split none", "none"}};
  for (const auto& [words, message] : wrong) {
    const Outcome outcome = test::run(words);
    EXPECT_EQ(exit_of(outcome), 1) << words;
    EXPECT_THAT(outcome.text, AllOf(StartsWith("abacus-train: "), HasSubstr(message)));
  }
  EXPECT_EQ(exit_of(test::run("levels >/dev/full")), 1);
  EXPECT_EQ(exit_of(test::run("schemes >/dev/full")), 1);
}

// By each command's own help: no option that takes a whole number is forgotten.
TEST(TrainerNumbers, EveryWholeNumberOutOfItsRangeIsRefusedWithWhatIsAllowed) {
  const std::regex number("(--[a-z-]+) U?INT(?: in \\[(-?[0-9]+) to ([0-9]+)\\])?");
  int options = 0;
  for (const char* command : {"train", "import", "quantize", "qat", "schemes", "evaluate",
                              "statistics", "activations", "levels", "recipe"}) {
    const std::string help = test::run(std::string(command) + " --help").text;
    std::sregex_iterator at(help.begin(), help.end(), number);
    const std::sregex_iterator end;
    const auto first = at == end ? 0 : at->position();
    for (; at != end; ++at) {
      const std::string option = (*at)[1];
      ++options;
      // One reader reads them all (sw/cli/shared/integer_option.hpp): each option's own range, and of each
      // command's first option what else is no whole number. A start of the program takes a second.
      std::vector<std::string> wrong = {(*at)[3].str() + '0'};
      if (at->position() == first) wrong.insert(wrong.end(), {"-99999999999999999999", "1.5"});
      for (const std::string& bad : wrong) {
        const Outcome outcome = test::run(std::string(command) + ' ' + option + '=' + bad);
        EXPECT_EQ(exit_of(outcome), 1) << command << ' ' << option << ' ' << bad;
        EXPECT_THAT(outcome.text, AllOf(HasSubstr(option + ": found " + bad),
                                        HasSubstr("allowed: a whole number, " + (*at)[2].str())))
            << command;
      }
    }
  }
  EXPECT_EQ(options, 26);
  for (const char* seed : {"-1", "18446744073709551616"}) {
    EXPECT_THAT(test::run(std::string("train --seed=") + seed).text,
                HasSubstr("allowed: a whole number, 0 to 18446744073709551615"));
  }
}

}  // namespace
}  // namespace abacus::cli
