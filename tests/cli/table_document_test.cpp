// docs/table.md, done as it says: its files written, its commands run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "sw/support/child_process.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::cli {
namespace {

const std::filesystem::path source(ABACUS_SOURCE_FOLDER);

// The blocks of code of one language, in their order.
std::vector<std::string> blocks(const std::string& document, const std::string& language) {
  std::vector<std::string> found;
  std::istringstream text(document);
  std::string line;
  bool inside = false;
  while (std::getline(text, line)) {
    if (line.rfind("```", 0) == 0) {
      inside = !inside && line == "```" + language;
      if (inside) found.emplace_back();
      continue;
    }
    if (inside) found.back() += line + '\n';
  }
  return found;
}

// A folder that looks like the project's to the commands.
class TableDocument : public ::testing::Test {
 protected:
  TableDocument() {
    std::filesystem::create_directory_symlink(source / "scripts", folder() / "scripts");
    std::filesystem::create_directories(folder() / "build/release/bin");
    std::filesystem::create_symlink(ABACUS_PROGRAM, folder() / "build/release/bin/abacus");
  }
  std::filesystem::path folder() const { return folder_.path(); }
  int run(const std::string& commands) const {
    return support::run_program("/bin/bash", {"-ec", "cd '" + folder().string() + "'\n" + commands},
                                support::ChildOutput::to_stderr);
  }

 private:
  test::TemporaryFolder folder_;
};

TEST_F(TableDocument, WalksThroughAnElement) {
  const std::string document = test::read_text(source / "docs/table.md");
  const std::vector<std::string> commands = blocks(document, "sh");
  ASSERT_EQ(commands.size(), 2U);
  ASSERT_EQ(run(commands[0]), 0);
  // Each file's first line is a comment with its name.
  for (const std::string& file : blocks(document, "toml")) {
    const std::string name = file.substr(2, file.find('\n') - 2);
    ASSERT_EQ(name.rfind("results/mine/", 0), 0U) << file;
    test::write_text(folder() / name, file);
  }
  ASSERT_EQ(run(commands[1]), 0);
  const auto results =
      nlohmann::json::parse(test::read_text(folder() / "results/mine/results.json"));
  ASSERT_EQ(results["runs"].size(), 2U);
  EXPECT_EQ(results["runs"][0]["element"]["name"], "mitchell 4x4");
  EXPECT_EQ(results["runs"][0]["weight_bits"], 4);
  EXPECT_GT(results["runs"][0]["energy_by_action_uj"]["element_tap"].get<double>(), 0);
  EXPECT_FALSE(results["runs"][1].contains("element"));
  EXPECT_EQ(results["runs"][0]["cycles_per_image"], results["runs"][1]["cycles_per_image"]);
  for (const auto& one : results["runs"]) EXPECT_EQ(one["bit_exact"], true);
  EXPECT_TRUE(std::filesystem::exists(folder() / "results/mine/report.html"));
}

}  // namespace
}  // namespace abacus::cli
