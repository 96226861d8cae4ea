// Images that only decide the accuracy are simulated once for all hardware that cannot change it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sw/experiment/run_outcome.hpp"
#include "sw/study/database.hpp"
#include "sw/support/child_process.hpp"
#include "tests/study/study_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::study {
namespace {

using test::axis;
using Json = nlohmann::json;

constexpr int images = 6;
constexpr int timed = 1;

class AccuracyOnce : public ::testing::Test {
 protected:
  std::string in(const std::string& name) const { return (folder_.path() / name).string(); }
  // Its axes stay; `where` chooses points, so that a later command has new ones.
  std::map<std::string, Json> explored(const std::string& where) const {
    test::write_text(in("s.toml"),
                     "name = \"once\"\nwhere = \"" + where +
                         "\"\n[base]\nnetwork = \"resnet20\"\narithmetic = \"post\"\ndataset = "
                         "\"fashion-mnist\"\n"
                         "package = \"" SCENARIOS
                         "/packages/resnet20-fashion-mnist-post-asq-4.safetensors\"\n"
                         "images = " +
                         std::to_string(images) + "\ntimed_images = " + std::to_string(timed) +
                         "\n" +
                         axis("sram", "hardware.activation_sram.bytes", "[\"32KiB\", \"64KiB\"]") +
                         axis("columns", "hardware.array.columns", "[8, 16]") +
                         axis("rows", "hardware.array.rows", "[8, 16]") +
                         axis("bits", "hardware.array.accumulator_bits", "[24, 28]"));
    const support::ProgramOutput said = support::capture_program(
        ABACUS_PROGRAM, {"explore", in("s.toml"), "--out=" + in("out"), "--jobs=2"});
    EXPECT_EQ(said.status, 0) << said.err << said.out;
    std::map<std::string, Json> points;
    for (const Json& point : Json::parse(
             support::capture_program(ABACUS_PROGRAM, {"export", in("out"), "--json"}).out)) {
      points[point["sram"].dump() + ' ' + point["columns"].dump() + ' ' + point["rows"].dump() +
             ' ' + point["bits"].dump()] = point;
    }
    return points;
  }
  // Of each kind of hardware, how many images there are beside the timed ones.
  std::vector<std::int64_t> simulated() const {
    Database database(in("out/study.sqlite"), Database::Mode::read);
    std::vector<std::int64_t> counts;
    database.run("SELECT outcome FROM functional", {}, [&](const Row& row) {
      counts.push_back(
          experiment::outcome_from_json(Json::parse(std::get<std::string>(row[0]))).images);
    });
    return counts;
  }
  // As if the hardware had had all of them wrong.
  void forge_none_correct() const {
    Database database(in("out/study.sqlite"), Database::Mode::write);
    std::string text;
    database.run("SELECT outcome FROM functional", {},
                 [&](const Row& row) { text = std::get<std::string>(row[0]); });
    experiment::RunOutcome outcome = experiment::outcome_from_json(Json::parse(text));
    outcome.correct = 0;
    database.run("UPDATE functional SET outcome = ?", {experiment::to_json(outcome).dump()});
  }

  test::TemporaryFolder folder_;
};

TEST_F(AccuracyOnce, OfAnotherSramOrOtherColumnsItIsTakenFromTheStore) {
  const auto first = explored("sram == 65536 and columns == 16 and rows == 16 and bits == 24");
  ASSERT_EQ(first.size(), 1U);
  ASSERT_EQ(simulated(), std::vector<std::int64_t>{images - timed});
  // Who simulated them again would not believe this.
  forge_none_correct();
  const auto more = explored("rows == 16 and bits == 24");
  ASSERT_EQ(more.size(), 4U);
  EXPECT_EQ(simulated(), std::vector<std::int64_t>{images - timed});
  const double honest = first.at("65536 16 16 24")["accuracy_percent"];
  const double forged = more.at("32768 8 16 24")["accuracy_percent"];
  EXPECT_GE(honest, 100.0 * (images - 1) / images);
  EXPECT_LE(forged, 100.0 * timed / images + 1e-9);
  for (const auto& [name, point] : more) {
    EXPECT_EQ(point["images"], images);
    if (name == "65536 16 16 24") continue;  // kept
    EXPECT_EQ(point["accuracy_percent"], forged) << name;
  }
  EXPECT_NE(more.at("32768 8 16 24")["cycles_per_image"],
            first.at("65536 16 16 24")["cycles_per_image"]);
}

TEST_F(AccuracyOnce, OfOtherAccumulatorsOrAnotherOrderItIsComputed) {
  explored("sram == 65536 and columns == 16 and rows == 16 and bits == 24");
  forge_none_correct();
  const auto wider = explored("sram == 65536 and columns == 16 and rows == 16");
  EXPECT_EQ(simulated().size(), 2U);
  EXPECT_GE(wider.at("65536 16 16 28")["accuracy_percent"], 100.0 * (images - 1) / images);
  // The rows give the order in which an accumulator takes its taps.
  const auto fewer = explored("sram == 65536 and columns == 16 and bits == 24");
  EXPECT_EQ(simulated().size(), 3U);
  EXPECT_GE(fewer.at("65536 16 8 24")["accuracy_percent"], 100.0 * (images - 1) / images);
}

}  // namespace
}  // namespace abacus::study
