// Kept runs and points of a study are taken again by this: whatever changes a result must change it.
#include "sw/experiment/run_identity.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sw/experiment/scenario.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::experiment {
namespace {

// Of the last run of a scenario with random weights and `settings`.
std::string identity_of(const std::vector<std::string>& settings, const std::string& other_run = "",
                        const std::string& comment = "") {
  const test::TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "s.toml";
  test::write_text(file, comment +
                             "network = \"lenet\"\narithmetic = \"cnn\"\nweights = \"synthetic\"\n"
                             "image = [1, 28, 28]\nclasses = 10\ntimed_images = 1\n"
                             "[[run]]\nname = \"other\"\n" +
                             other_run + "[[run]]\nname = \"a\"\n");
  const Scenario scenario = read_scenario(file, settings);
  ReadFiles files;
  return run_identity(scenario.runs.back(), "", 0, files);
}

TEST(RunIdentity, ChangesWithEveryKeyThatChangesAResult) {
  const std::string same = identity_of({});
  for (const char* setting : {"network=\"resnet20\"",
                              "arithmetic=\"adder\"",
                              "image=[1, 32, 32]",
                              "classes=11",
                              "seed=2",
                              "images=2",
                              "timed_images=2",
                              "level=\"functional\"",
                              "engine=\"stepwise\"",
                              "quantization.weight_bits=4",
                              "quantization.activation_bits=4",
                              "quantization.storage_bits=9",
                              "energy.table=\"accelergy-40nm\"",
                              "energy.missing=\"zero\"",
                              "energy.frames_per_second=30.0",
                              "energy.between_frames=\"standby\"",
                              "area.missing=\"zero\"",
                              "hardware.preset=\"tiny-8x8\"",
                              "hardware.clock_mhz=200.0",
                              "hardware.array.rows=8",
                              "hardware.dram.t_rcd=20.0",
                              "hardware.array.zero_gating=true"}) {
    const std::string key = setting;
    // Nothing is left out of the shipped tables: to count it as 0 changes nothing.
    const bool no_result = key.find("missing") != std::string::npos;
    EXPECT_EQ(identity_of({key}) == same, no_result) << key;
  }
}

TEST(RunIdentity, StaysWithWhatNoResultHas) {
  EXPECT_EQ(identity_of({}), identity_of({}, "hardware.array.rows = 4\n", "# a comment\n"));
}

// What a run fills of another's area is a field of its results.
TEST(RunIdentity, ChangesWithTheRunWhoseAreaItFills) {
  const std::vector<std::string> settings = {};
  const auto filling = [&](const std::string& accumulator_bits) {
    const test::TemporaryFolder folder;
    const std::filesystem::path file = folder.path() / "s.toml";
    test::write_text(file,
                     "network = \"lenet\"\narithmetic = \"adder\"\nweights = \"synthetic\"\n"
                     "image = [1, 28, 28]\nclasses = 10\ntimed_images = 1\n"
                     "[[run]]\nname = \"other\"\narithmetic = \"cnn\"\n"
                     "hardware.array.accumulator_bits = " +
                         accumulator_bits +
                         "\n"
                         "[[run]]\nname = \"a\"\nhardware.array.same_area_as = \"other\"\n");
    const Scenario scenario = read_scenario(file, settings);
    ReadFiles files;
    return std::pair(scenario.runs.back().hardware.array.columns,
                     run_identity(scenario.runs.back(), "", 0, files));
  };
  const auto [columns, identity] = filling("24");
  const auto [same_columns, other_identity] = filling("25");
  EXPECT_EQ(columns, same_columns);
  EXPECT_NE(identity, other_identity);
}

}  // namespace
}  // namespace abacus::experiment
