#include "sw/experiment/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/blocks/accelerator_area.hpp"
#include "sw/network/element_file.hpp"
#include "sw/reading/node.hpp"
#include "tests/network/element_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/tlm/random_element.hpp"

namespace abacus::experiment {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Seven lines; a test's own text starts at line 8.
const std::string head = R"(name = "test"
network = "lenet"
arithmetic = "adder"
dataset = "fashion-mnist"
checkpoint = "c.safetensors"
images = 100
timed_images = 3
)";

class ScenarioFile {
 public:
  explicit ScenarioFile(const std::string& text) {
    test::write_text(folder_.path() / "c.safetensors", "");
    test::write_text(file(), text);
  }
  std::filesystem::path file() const { return folder_.path() / "s.toml"; }
  std::filesystem::path folder() const { return folder_.path(); }

 private:
  test::TemporaryFolder folder_;
};

std::string error_of(const ScenarioFile& scenario) {
  try {
    read_scenario(scenario.file());
  } catch (const reading::InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Scenario, WhatIsSetGoesBeforeEveryRunAndTheLastBeforeTheOthers) {
  const ScenarioFile file(
      head + "[[run]]\nname = \"a\"\nhardware.array.rows = 8\n[[run]]\nname = \"b\"\n");
  const Scenario scenario =
      read_scenario(file.file(), {"hardware.array.rows=4", "hardware.array.columns=32", "images=7",
                                  "level=functional", "hardware.array.rows=2"});
  ASSERT_EQ(scenario.runs.size(), 2U);
  EXPECT_EQ(scenario.settings.size(), 5U);
  for (const RunSpec& run : scenario.runs) {
    EXPECT_EQ(run.hardware.array.rows, 2);
    EXPECT_EQ(run.hardware.array.columns, 32);
    EXPECT_EQ(run.images, 7);
    EXPECT_EQ(run.level, hw::TimingLevel::functional);
  }
  EXPECT_EQ(scenario.runs[0].name, "a");
}

TEST(Scenario, WhatIsSetDecidesWhereWeightsComeFrom) {
  const ScenarioFile file(head);
  const Scenario scenario = read_scenario(
      file.file(), {"weights=synthetic", "image=[3, 16, 16]", "classes=10", "network=resnet20"});
  ASSERT_TRUE(scenario.runs[0].synthetic.has_value());
  EXPECT_EQ(scenario.runs[0].synthetic->image.height, 16);
  EXPECT_EQ(scenario.runs[0].network, "resnet20");
}

TEST(Scenario, WhatIsSetWronglyIsRefusedOnceWithTheNearestKey) {
  const ScenarioFile file(head + "[[run]]\nname = \"a\"\n[[run]]\nname = \"b\"\n");
  const auto error_with = [&](const std::string& setting) {
    try {
      read_scenario(file.file(), {setting});
    } catch (const reading::InputError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  const std::string unknown = error_with("iamges=3");
  EXPECT_THAT(unknown, StartsWith("--set iamges=3: unknown key `iamges`; did you mean `images`?"));
  EXPECT_EQ(unknown.find('\n'), std::string::npos);
  EXPECT_THAT(error_with("hardware.array.row=3"),
              HasSubstr("unknown key `hardware.array.row`; did you mean `rows`?"));
  EXPECT_THAT(error_with("images=1O"),
              HasSubstr("--set images=1O: images: found the text \"1O\"; allowed: a whole number"));
  EXPECT_THAT(error_with("run=3"), HasSubstr("--set run=3: runs stand in the scenario alone"));
  EXPECT_THAT(error_with("images"), HasSubstr("--set images: found no KEY=VALUE"));
}

TEST(Scenario, OneRunTakesDefaultsFromTheHardwarePresetAndTheArithmetic) {
  const ScenarioFile file(head);
  const Scenario scenario = read_scenario(file.file());
  ASSERT_EQ(scenario.runs.size(), 1u);
  const RunSpec& run = scenario.runs[0];
  EXPECT_EQ(run.name, "test");
  EXPECT_EQ(run.network, "lenet");
  EXPECT_EQ(run.arithmetic, network::Arithmetic::adder);
  EXPECT_EQ(run.level, hw::TimingLevel::approximate);
  EXPECT_EQ(run.images, 100);
  EXPECT_EQ(run.timed_images, 3);
  EXPECT_EQ(run.checkpoint, file.folder() / "c.safetensors");
  EXPECT_EQ(run.quantization.scheme, "adderquant-ptq");
  EXPECT_EQ(run.quantization.weight_bits, 8);
  EXPECT_EQ(run.quantization.storage_bits, 8);
  EXPECT_EQ(run.hardware.name, "edge-16x16");
  EXPECT_EQ(run.hardware.array.kind, "adder");
  EXPECT_EQ(run.hardware.edge_array.kind, "mac");
  EXPECT_EQ(run.energy_table.name(), "horowitz-45nm");
  EXPECT_EQ(scenario.text, head);
}

TEST(Scenario, ShippedPresetsAndScenariosAreValid) {
  int presets = 0;
  for (const auto& preset : std::filesystem::directory_iterator(
           std::filesystem::path(ABACUS_SOURCE_FOLDER) / "scenarios" / "hardware")) {
    ++presets;
    const std::string name = preset.path().stem().string();
    const ScenarioFile file(head + "hardware.preset = \"" + name + "\"\n");
    EXPECT_EQ(read_scenario(file.file()).runs[0].hardware.name, name);
  }
  EXPECT_GE(presets, 3);
}

TEST(Scenario, BinaryRunsHaveOneBitAndXnorElements) {
  const ScenarioFile file(head + R"([[run]]
name = "b"
arithmetic = "bnn"
hardware.array.rows = 32
[[run]]
name = "spelled out"
arithmetic = "bnn"
quantization = { scheme = "bnn", weight_bits = 1, activation_bits = 1, storage_bits = 10 }
hardware.array.kind = "xnor"
)");
  for (const RunSpec& run : read_scenario(file.file()).runs) {
    EXPECT_EQ(run.arithmetic, network::Arithmetic::bnn);
    EXPECT_EQ(run.quantization.scheme, "bnn");
    EXPECT_EQ(run.quantization.weight_bits, 1);
    EXPECT_EQ(run.quantization.activation_bits, 1);
    // The preset's 8 bits are for other kinds.
    EXPECT_EQ(run.hardware.array.kind, "xnor");
    EXPECT_EQ(run.hardware.array.weight_bits, 1);
    EXPECT_EQ(run.hardware.array.activation_bits, 1);
    EXPECT_EQ(run.hardware.edge_array.weight_bits, 8);
  }
  EXPECT_THAT(error_of(ScenarioFile(head + "hardware.array.kind = \"xnor\"\n")),
              HasSubstr("found \"xnor\"; arithmetic adder needs \"adder\""));
}

TEST(Scenario, TableRunsHaveTheElementsWidthsLanesAndPrices) {
  const test::TemporaryFolder folder;
  const hw::ElementTable element = test::product_element({3, true, 5, false});
  test::write_element(folder.path() / "e.toml", element);
  const std::string path = (folder.path() / "e.toml").string();
  const std::string run = head + "[[run]]\nname = \"t\"\narithmetic = \"table\"\n";
  const ScenarioFile file(run + "element = \"" + path + "\"\n");
  const RunSpec spec = read_scenario(file.file()).runs[0];
  EXPECT_EQ(spec.quantization.scheme, "table");
  EXPECT_EQ(spec.quantization.weight_bits, 3);
  EXPECT_EQ(spec.quantization.activation_bits, 5);
  EXPECT_EQ(spec.quantization.element, path);
  EXPECT_EQ(spec.quantization.element_sha256, network::hash_of(element));
  EXPECT_EQ(spec.hardware.array.kind, "table");
  EXPECT_EQ(spec.hardware.array.weight_bits, 3);
  EXPECT_EQ(spec.hardware.array.activation_bits, 5);
  ASSERT_NE(spec.hardware.array.element, nullptr);
  EXPECT_TRUE(spec.hardware.array.element->same_element(element));
  const models::Activity::Key tap = {0, models::Component::pe_array, models::Action::element_tap, 5,
                                     3};
  EXPECT_EQ(spec.energy_table.picojoules(tap, spec.hardware), 0.5);
  EXPECT_EQ(spec.area_table.um2(models::AreaPart::element, 1), 100);

  const auto error = [&](const std::string& more) { return error_of(ScenarioFile(run + more)); };
  const std::string key = "element = \"" + path + "\"\n";
  EXPECT_THAT(error(""), HasSubstr("element: is missing"));
  EXPECT_THAT(error("element = \"none.toml\"\n"), HasSubstr("11:11: element: there is no file"));
  EXPECT_THAT(
      error(key + "quantization.weight_bits = 4\n"),
      HasSubstr("12:28: quantization.weight_bits: found 4; allowed: a whole number from 3"));
  EXPECT_THAT(error(key + "hardware.array.kind = \"mac\"\n"),
              HasSubstr("found \"mac\"; arithmetic table needs \"table\""));
  EXPECT_THAT(error_of(ScenarioFile(head + key)),
              HasSubstr("element: goes with arithmetic = \"table\" only"));
  test::write_text(folder.path() / "e.csv", "1,2\n");
  EXPECT_THAT(error(key), HasSubstr("e.csv:1:1: found 2 numbers"));
}

TEST(Scenario, ShiftRunsHaveShiftersAndShiftAddNetsBothUnits) {
  const ScenarioFile file(head + R"([[run]]
name = "shift"
arithmetic = "shift"
hardware.array.fraction_bits = 10
[[run]]
name = "shift on lanes that add too"
arithmetic = "shift"
hardware.array.kind = "shift-add"
[[run]]
name = "both"
arithmetic = "shiftaddnet"
[[run]]
name = "square roots"
arithmetic = "post"
hardware.array.table = { exponents = 63, fraction_bits = 5, ports = 2, lanes = 8 }
[[run]]
name = "sums"
arithmetic = "apot"
package = "c.safetensors"
hardware.step_adapter = { channels = 64, hidden = 16, lanes = 8, registers = 2 }
)");
  const std::vector<RunSpec> runs = read_scenario(file.file()).runs;
  ASSERT_EQ(runs.size(), 5u);
  EXPECT_EQ(runs[0].hardware.array.kind, "shift");
  EXPECT_EQ(runs[0].hardware.array.fraction_bits, 10);
  EXPECT_EQ(runs[0].quantization.scheme, "shift");
  EXPECT_EQ(runs[1].hardware.array.kind, "shift-add");
  EXPECT_EQ(runs[1].hardware.array.fraction_bits, 8);
  EXPECT_EQ(runs[2].hardware.array.kind, "shift-add");
  EXPECT_EQ(runs[2].quantization.scheme, "shiftaddnet");
  EXPECT_EQ(runs[3].hardware.array.kind, "post");
  EXPECT_EQ(runs[3].hardware.array.table.exponents, 63);
  EXPECT_EQ(runs[3].hardware.array.table.fraction_bits, 5);
  EXPECT_EQ(runs[3].hardware.array.table.ports, 2);
  EXPECT_EQ(runs[3].hardware.array.table.lanes, 8);
  EXPECT_EQ(runs[4].hardware.array.kind, "apot");
  EXPECT_EQ(runs[4].hardware.array.table.exponents, 4);
  EXPECT_EQ(runs[4].hardware.step_adapter.channels, 64);
  EXPECT_EQ(runs[4].hardware.step_adapter.hidden, 16);
  EXPECT_EQ(runs[4].hardware.step_adapter.lanes, 8);
  EXPECT_EQ(runs[4].hardware.step_adapter.registers, 2);
  EXPECT_EQ(runs[3].hardware.step_adapter.channels, 512);
}

TEST(Scenario, RunsOverrideTheTopKeyByKey) {
  const ScenarioFile file(head + R"(
[quantization]
weight_bits = 4
activation_bits = 4
options = { alpha = 0.9995, seed = 7 }
[hardware]
preset = "tiny-8x8"
array.rows = 4
[[run]]
name = "a"
[[run]]
name = "b"
arithmetic = "cnn"
images = 5
level = "functional"
quantization.activation_bits = 6
hardware.array.columns = 32
hardware.dram.t_rcd = 20
energy.table = "shiftadd-papers"
[[run]]
name = "c"
hardware.preset = "edge-32x32"
quantization.options.alpha = 1
quantization.groups = 2
)");
  const Scenario scenario = read_scenario(file.file());
  ASSERT_EQ(scenario.runs.size(), 3u);
  const RunSpec& a = scenario.runs[0];
  const RunSpec& b = scenario.runs[1];
  const RunSpec& c = scenario.runs[2];
  EXPECT_EQ(a.hardware.array.rows, 4);
  EXPECT_EQ(a.hardware.array.columns, 8);
  EXPECT_EQ(a.quantization.activation_bits, 4);
  EXPECT_EQ(a.quantization.options.count("groups"), 0u);  // the trainer's default
  EXPECT_EQ(a.quantization.options.at("alpha"), "0.99950000000000006");
  EXPECT_EQ(a.quantization.options.at("seed"), "7");
  EXPECT_EQ(b.arithmetic, network::Arithmetic::cnn);
  EXPECT_EQ(b.quantization.scheme, "uniform-ptq");
  EXPECT_EQ(b.quantization.options.count("groups"), 0u);
  EXPECT_EQ(b.hardware.array.kind, "mac");
  EXPECT_EQ(b.hardware.array.rows, 4);
  EXPECT_EQ(b.hardware.array.columns, 32);
  EXPECT_EQ(b.hardware.dram.t_rcd, 20.0);
  EXPECT_EQ(b.images, 5);
  EXPECT_EQ(b.timed_images, 0);
  EXPECT_EQ(b.quantization.weight_bits, 4);
  EXPECT_EQ(b.quantization.activation_bits, 6);
  EXPECT_EQ(b.energy_table.name(), "shiftadd-papers");
  EXPECT_EQ(c.hardware.array.rows, 4);  // the top's override holds for every run's preset
  EXPECT_EQ(c.hardware.array.columns, 32);
  EXPECT_EQ(c.quantization.options.at("groups"), "2");
  EXPECT_EQ(c.quantization.options.at("alpha"), "1");
}

TEST(Scenario, ARunTakesAPackageInPlaceOfTheCheckpointOfAllRuns) {
  const ScenarioFile file(head + R"(quantization.weight_bits = 3
[[run]]
name = "quantized"
[[run]]
name = "ready"
package = "p.safetensors"
)");
  test::write_text(file.folder() / "p.safetensors", "");
  const Scenario scenario = read_scenario(file.file());
  EXPECT_EQ(scenario.runs[0].checkpoint, file.folder() / "c.safetensors");
  EXPECT_EQ(scenario.runs[0].package, "");
  EXPECT_EQ(scenario.runs[0].quantization.weight_bits, 3);
  EXPECT_EQ(scenario.runs[1].checkpoint, "");
  EXPECT_EQ(scenario.runs[1].package, file.folder() / "p.safetensors");
}

TEST(Scenario, ARunTakesACheckpointInPlaceOfThePackageOfAllRuns) {
  std::string text = head;
  text.replace(text.find("checkpoint"), 10, "package");
  const ScenarioFile file(text +
                          "[[run]]\nname = \"a\"\n[[run]]\nname = \"b\"\n"
                          "checkpoint = \"c.safetensors\"\n");
  const Scenario scenario = read_scenario(file.file());
  EXPECT_EQ(scenario.runs[0].package, file.folder() / "c.safetensors");
  EXPECT_EQ(scenario.runs[1].package, "");
  EXPECT_EQ(scenario.runs[1].checkpoint, file.folder() / "c.safetensors");
}

TEST(Scenario, SchemesAndOptionsAreTheTrainersBusiness) {
  const ScenarioFile file(head + R"([quantization]
scheme = "a-new-one"
options = { group_method = "max", operand_grid = "symmetric", weight_clamp = false }
)");
  const QuantizationRecipe recipe = read_scenario(file.file()).runs[0].quantization;
  EXPECT_EQ(recipe.scheme, "a-new-one");
  EXPECT_EQ(recipe.options.at("group_method"), "max");
  EXPECT_EQ(recipe.options.at("weight_clamp"), "false");
}

TEST(Scenario, PresetAndTableMayBePathsFromTheScenario) {
  const ScenarioFile file(head + "hardware.preset = \"./mine.toml\"\n");
  test::write_text(file.folder() / "mine.toml", "[array]\nrows = 5\n");
  const hw::HardwareConfig hardware = read_scenario(file.file()).runs[0].hardware;
  EXPECT_EQ(hardware.name, "mine");
  EXPECT_EQ(hardware.array.rows, 5);
  EXPECT_EQ(hardware.array.columns, 16);
}

TEST(Scenario, ErrorsInAPresetNameThePreset) {
  const ScenarioFile file(head + "hardware.preset = \"mine.toml\"\n");
  test::write_text(file.folder() / "mine.toml", "[array]\nrow = 5\n");
  EXPECT_THAT(error_of(file), StartsWith((file.folder() / "mine.toml").string() + ":2:1: "));
  EXPECT_THAT(error_of(file), HasSubstr("did you mean `rows`?"));
}

TEST(Scenario, ALookupTableHasAsManyExponentsAsItsWeightsNeedUnlessSomebodySays) {
  const auto exponents = [](const std::string& more) {
    const ScenarioFile file(head + "[[run]]\nname = \"r\"\narithmetic = \"post\"\n" + more);
    test::write_text(file.folder() / "mine.toml", "array.table.exponents = 9\n");
    return read_scenario(file.file()).runs[0].hardware.array.table.exponents;
  };
  EXPECT_EQ(exponents(""), 63);
  EXPECT_EQ(exponents("quantization.weight_bits = 5\n"), 7);
  EXPECT_EQ(exponents("quantization.weight_bits = 4\n"), 3);
  EXPECT_EQ(exponents("quantization.weight_bits = 3\n"), 1);
  EXPECT_EQ(exponents("quantization.weight_bits = 2\n"), 1);
  EXPECT_EQ(exponents("quantization.weight_bits = 3\nhardware.array.table.exponents = 1\n"), 1);
  EXPECT_EQ(exponents("quantization.weight_bits = 3\nhardware.preset = \"mine.toml\"\n"), 9);
  const std::string refused =
      error_of(ScenarioFile(head + "[[run]]\nname = \"r\"\narithmetic = \"post\"\n"
                                   "hardware.array.table.exponents = 62\n"));
  EXPECT_THAT(refused,
              HasSubstr("s.toml:11:34: hardware.array.table.exponents: found 62; 127 levels "
                        "of POST weights need 63"));
}

// What stands above the runs is for those that have a use for it.
TEST(Scenario, SharedHardwareKeysServeEveryRun) {
  const ScenarioFile file(head + R"([hardware]
array.fraction_bits = 9
array.table.exponents = 63
step_adapter.lanes = 2
[[run]]
name = "adder"
[[run]]
name = "post"
arithmetic = "post"
)");
  EXPECT_EQ(error_of(file), "no error");
}

struct BadScenario {
  const char* text;   // after `head`, so it starts at line 8
  const char* place;  // "line:column: "
  const char* message;
};

class BadScenarioTest : public ::testing::TestWithParam<BadScenario> {};

TEST_P(BadScenarioTest, IsRefusedWithPlaceFindingAndAllowedValues) {
  const ScenarioFile file(head + GetParam().text);
  const std::string error = error_of(file);
  EXPECT_THAT(error, StartsWith(file.file().string() + ":" + GetParam().place));
  EXPECT_THAT(error, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, BadScenarioTest,
    ::testing::Values(
        BadScenario{"iamges = 5\n", "8:1: ", "unknown key `iamges`; did you mean `images`?"},
        BadScenario{"zzz = 5\n",
                    "8:1: ", "known here: area, arithmetic, checkpoint, classes, dataset"},
        BadScenario{"level = \"rtl\"\n",
                    "8:9: ", "found the text \"rtl\"; allowed: approximate, functional"},
        BadScenario{"engine = \"verilog\"\n", "8:10: ",
                    "engine: found the text \"verilog\"; allowed: vector, stepwise, shadow"},
        BadScenario{"level = 3\n", "8:9: ", "found 3; allowed: approximate, functional"},
        BadScenario{"quantization.weight_bits = 9\n", "8:28: ",
                    "quantization.weight_bits: found 9; allowed: a whole number from 1 to 8"},
        BadScenario{"quantization.weight_bits = 4.0\n",
                    "8:28: ", "found the number 4; allowed: a whole number"},
        BadScenario{"quantization.weight_bits = \"4\"\n", "8:28: ", "found the text \"4\""},
        BadScenario{"package = \"c.safetensors\"\n", "8:11: ", "a package is quantized already"},
        BadScenario{"[[run]]\nname = \"a\"\npackage = \"c.safetensors\"\n"
                    "quantization.weight_bits = 4\n",
                    "10:11: ", "leave out checkpoint and quantization"},
        BadScenario{"[[run]]\nname = \"a\"\npackage = \"none.safetensors\"\n",
                    "10:11: ", "there is no file"},
        BadScenario{"hardware.array.kind = \"mac\"\n",
                    "8:23: ", "found \"mac\"; arithmetic adder needs \"adder\""},
        BadScenario{"quantization.weight_bits = 5\nhardware.array.weight_bits = 4\n",
                    "8:28: ", "found 5; hardware.array.weight_bits is 4"},
        BadScenario{"hardware.array.activation_bits = 4\n",
                    "8:34: ", "the array takes 4 bits; quantization.activation_bits is 8"},
        BadScenario{"quantization.options.alpha = []\n",
                    "8:30: ", "found a list; allowed: a text, a number, true or false"},
        BadScenario{"quantization = 8\n", "8:16: ", "found 8; allowed: a table"},
        BadScenario{"[hardware]\npreset = \"huge\"\n",
                    "9:10: ", "found \"huge\"; allowed: edge-16x16, edge-32x32, tiny-8x8"},
        BadScenario{"[hardware]\narray.rows = 0\n", "9:14: ",
                    "hardware.array.rows: found 0; allowed: a whole number from 1 to 65535"},
        BadScenario{"[hardware]\narray.kind = \"systolic\"\n",
                    "9:14: ", "allowed: adder, mac, xnor, shift, shift-add, post, apot, table"},
        BadScenario{
            "[hardware]\narray.dataflow = \"row-stationary\"\n", "9:18: ",
            "array.dataflow: found the text \"row-stationary\"; allowed: output-stationary"},
        BadScenario{"[hardware.step_adapter]\nlanes = 0\n", "9:9: ", "found 0"},
        BadScenario{"[hardware.step_adapter]\nslots = 3\n",
                    "9:1: ", "unknown key `hardware.step_adapter.slots`"},
        BadScenario{"[hardware.array.table]\nports = 0\n", "9:9: ", "found 0"},
        BadScenario{"[hardware.array.table]\nfraction_bits = 9\n",
                    "9:17: ", "found 9; allowed: a whole number from 2 to 8"},
        BadScenario{"[hardware.array.table]\nexponent = 4\n",
                    "9:1: ", "unknown key `hardware.array.table.exponent`; did you mean"},
        BadScenario{"[[run]]\nname = \"a\"\narithmetic = \"post\"\nhardware.array.kind = "
                    "\"apot\"\n",
                    "11:23: ", "found \"apot\"; arithmetic post needs \"post\""},
        BadScenario{"[hardware]\narray.kind = \"shift\"\n",
                    "9:14: ", "found \"shift\"; arithmetic adder needs \"adder\""},
        BadScenario{"[hardware]\narray.fraction_bits = 13\n",
                    "9:23: ", "found 13; allowed: a whole number from 0 to 12"},
        BadScenario{"[[run]]\nname = \"a\"\narithmetic = \"shiftaddnet\"\nhardware.array.kind = "
                    "\"shift\"\n",
                    "11:23: ", "found \"shift\"; arithmetic shiftaddnet needs \"shift-add\""},
        BadScenario{"hardware.array.table.ports = 2\n",
                    "8:16: ", "adder arrays have none; allowed with kind post"},
        BadScenario{"hardware.array.fraction_bits = 4\n", "8:32: ",
                    "adder arrays have none; allowed with kind shift, shift-add, post, apot"},
        BadScenario{"hardware.edge_array.table.ports = 2\n",
                    "8:21: ", "mac arrays have none; allowed with kind post"},
        BadScenario{"[[run]]\nname = \"a\"\nhardware.array.table.ports = 2\n",
                    "10:16: ", "hardware.array.table: adder arrays have none"},
        BadScenario{"hardware.step_adapter.lanes = 2\n",
                    "8:10: ", "no scheme that quantizes a checkpoint makes step adapters"},
        BadScenario{"[[run]]\nname = \"a\"\narithmetic = \"apot\"\n"
                    "quantization.weight_bits = 6\n",
                    "11:28: ", "found 6 weight bits; allowed with arithmetic apot: 2 to 5"},
        BadScenario{"[[run]]\nname = \"a\"\narithmetic = \"apot\"\n", "10:14: ",
                    "arithmetic: found 8 weight bits; allowed with arithmetic apot: 2 to 5"},
        BadScenario{"[hardware.dram]\nt_rcdd = 1\n",
                    "9:1: ", "unknown key `hardware.dram.t_rcdd`; did you mean `t_rcd`?"},
        BadScenario{"[hardware.dram]\nt_rcd = 0\n", "9:9: ", "t_rcd"},
        BadScenario{"[hardware.dram]\nrow_bytes = 100\n",
                    "9:13: ", "of which row_bytes is a multiple"},
        BadScenario{"[hardware.edge_array]\nkind = \"adder\"\n", "9:8: ", "must be \"mac\""},
        BadScenario{"[hardware.dram]\nt_refi = 100\n", "9:10: ", "t_refi of more than t_rfc"},
        BadScenario{"[hardware]\nclock_mhz = nan\n", "9:13: ", "a number from 1 to 10000"},
        BadScenario{"energy.table = \"guess\"\n", "8:16: ",
                    "allowed: accelergy-40nm, datasheet-45nm, horowitz-45nm, shiftadd-papers"},
        BadScenario{"area.table = \"guess\"\n", "8:14: ", "allowed: aladdin-40nm, or a path"},
        BadScenario{"[hardware]\narray.same_area_as = \"none\"\n", "9:22: ",
                    "hardware.array.same_area_as: found \"none\"; allowed: the name of a run"},
        BadScenario{"hardware.edge_array.same_area_as = \"a\"\n",
                    "8:21: ", "unknown key `hardware.edge_array.same_area_as`"},
        BadScenario{"[[run]]\nname = \"a\"\n[[run]]\nname = \"b\"\n"
                    "hardware.array.same_area_as = \"b\"\n",
                    "12:31: ",
                    "found \"b\"; allowed: the name of a run whose array has a size of "
                    "its own: a"},
        BadScenario{"hardware.array.same_area_as = 3\n[[run]]\nname = \"a\"\n",
                    "8:31: ", "found 3"},
        BadScenario{"[[run]]\nname = \"a\"\nhardware.array = { rows = 1, columns = 1 }\n"
                    "[[run]]\nname = \"b\"\nhardware.array = { same_area_as = \"a\", kind = "
                    "\"shift-add\" }\n",
                    "13:35: ", "one shift-add lane takes"},
        BadScenario{"energy.tabel = \"horowitz-45nm\"\n", "8:8: ", "did you mean `table`?"},
        BadScenario{"images = 7\n", "8:10: ", "'images'"},  // the same key twice
        BadScenario{"run = 3\n", "8:7: ", "[[run]]"},
        BadScenario{"[[run]]\nimages = 4\n", "8:1: ", "run.name: is missing"},
        BadScenario{"[[run]]\nname = \"a\"\n[[run]]\nname = \"a\"\n",
                    "11:8: ", "two runs are called \"a\""},
        BadScenario{"[[run]]\nname = \"a\"\nnetwork = \"alexnet\"\n", "10:11: ", "lenet"},
        BadScenario{"[[run]]\nname = \"a\"\nimages = -1\n", "10:10: ", "found -1"},
        BadScenario{"[[run]]\nname = \"a\"\ncheckpoint = \"none.safetensors\"\n",
                    "10:14: ", "there is no file"},
        BadScenario{"level = \n", "8:", ""}));

// Six lines; a test's own text starts at line 7.
const std::string random_head = R"(network = "resnet18"
arithmetic = "adder"
weights = "synthetic"
image = [3, 64, 64]
classes = 100
timed_images = 1
)";

TEST(Scenario, RandomWeightsNeedNoFileAndNoDataSet) {
  const ScenarioFile file(
      random_head +
      "seed = 7\nquantization = { weight_bits = 3, storage_bits = 10, groups = 4 }\n"
      "[[run]]\nname = \"adder\"\n"
      "[[run]]\nname = \"post\"\narithmetic = \"post\"\nseed = 8\n"
      "quantization = { groups = 1, adapters = true }\n"
      "[[run]]\nname = \"images\"\ndataset = \"cifar10\"\n"
      "[[run]]\nname = \"trained\"\nnetwork = \"lenet\"\n"
      "dataset = \"fashion-mnist\"\ncheckpoint = \"c.safetensors\"\n"
      "quantization = { weight_bits = 4 }\n");
  const Scenario scenario = read_scenario(file.file());
  ASSERT_EQ(scenario.runs.size(), 4u);
  const RunSpec& adder = scenario.runs[0];
  ASSERT_TRUE(adder.synthetic.has_value());
  EXPECT_EQ(adder.synthetic->seed, 7u);
  EXPECT_EQ(adder.synthetic->groups, 4);
  EXPECT_EQ(adder.synthetic->image, (network::Shape{3, 64, 64}));
  EXPECT_EQ(adder.synthetic->classes, 100);
  EXPECT_EQ(adder.dataset, "");
  EXPECT_EQ(adder.quantization.scheme, "synthetic");
  EXPECT_EQ(adder.quantization.weight_bits, 3);
  EXPECT_EQ(adder.quantization.activation_bits, 8);
  EXPECT_EQ(adder.quantization.storage_bits, 10);
  EXPECT_TRUE(scenario.runs[1].synthetic->adapters);
  EXPECT_EQ(scenario.runs[1].synthetic->seed, 8u);
  EXPECT_EQ(scenario.runs[2].dataset, "cifar10");
  EXPECT_EQ(scenario.runs[2].synthetic->image, (network::Shape{3, 32, 32}));
  EXPECT_EQ(scenario.runs[2].synthetic->classes, 10);
  EXPECT_FALSE(scenario.runs[3].synthetic.has_value());
  EXPECT_EQ(scenario.runs[3].checkpoint, file.folder() / "c.safetensors");
}

struct BadRandomScenario {
  std::string head;
  std::string more;
  std::string place;
  std::string what;
};

TEST(Scenario, MistakesWithRandomWeightsAreRefusedWithTheirPlace) {
  const std::string bare = "network = \"lenet\"\narithmetic = \"cnn\"\nweights = \"synthetic\"\n";
  for (const BadRandomScenario& bad : {
           BadRandomScenario{random_head, "checkpoint = \"c.safetensors\"\n",
                             "3:11: ", "weights: leave out checkpoint"},
           {random_head, "package = \"c.safetensors\"\n", "3:11: ", "weights: leave out package"},
           {random_head, "dataset = \"cifar10\"\n", "7:11: ", "leave out image and classes"},
           {random_head, "seed = -1\n", "7:8: ", "found -1"},
           {random_head, "quantization.scheme = \"adderquant-ptq\"\n", "7:23: ", "not quantized"},
           {random_head, "quantization.options = { alpha = 1 }\n", "7:24: ", "not quantized"},
           {random_head, "quantization.weight_bits = 1\n", "7:28: ", "from 2 to 8"},
           {random_head, "quantization.groups = 65\n", "7:23: ", "from 1 to 64"},
           {random_head, "quantization.adapters = true\n",
            "7:25: ", "adder takes no step adapters"},
           {random_head, "quantization.adapters = 1\n", "7:25: ", "true or false"},
           {random_head, "[[run]]\nname = \"a\"\narithmetic = \"cnn\"\nquantization.groups = 2\n",
            "10:23: ", "arithmetic cnn has none"},
           {random_head,
            "[[run]]\nname = \"a\"\narithmetic = \"bnn\"\nquantization.weight_bits = 2\n",
            "10:28: ", "from 1 to 1"},
           {random_head, "hardware.array.weight_bits = 4\n", "7:30: ", "the array takes 4 bits"},
           {random_head,
            "[[run]]\nname = \"a\"\ncheckpoint = \"c.safetensors\"\ndataset = \"cifar10\"\nseed = "
            "3\n",
            "11:8: ", "goes with weights"},
           {bare, "image = [3, 64]\nclasses = 10\n", "4:9: ", "a list of 3 whole numbers"},
           {bare, "image = [3, 64, 0]\nclasses = 10\n", "4:17: ", "found 0"},
           {bare, "image = [3, 64, 32]\nclasses = 10\n", "4:9: ", "square images"},
           {bare, "image = [3, 64, 64]\n", "", "classes: is missing"},
           {bare, "classes = 10\n", "", "image: is missing"},
           {bare, "", "", "dataset: is missing"},
           {"network = \"lenet\"\narithmetic = \"cnn\"\nweights = \"random\"\n", "",
            "3:11: ", "allowed: synthetic"},
       }) {
    EXPECT_THAT(error_of(ScenarioFile(bad.head + bad.more)),
                ::testing::AllOf(HasSubstr(bad.place), HasSubstr(bad.what)))
        << bad.more;
  }
}

TEST(Scenario, AnArrayFillsTheAreaOfAnotherRunsArray) {
  const ScenarioFile file(random_head +
                          "quantization = { weight_bits = 4, activation_bits = 4 }\n"
                          "hardware.array = { weight_bits = 4, activation_bits = 4 }\n"
                          "[[run]]\nname = \"adder\"\nhardware.array.same_area_as = \"cnn\"\n"
                          "[[run]]\nname = \"cnn\"\narithmetic = \"cnn\"\n"
                          "[[run]]\nname = \"same throughput\"\n");
  const Scenario scenario = read_scenario(file.file());
  const models::AreaTable& table = scenario.runs[0].area_table;
  const hw::PeArrayConfig& adder = scenario.runs[0].hardware.array;
  const auto whole = [&](const hw::HardwareConfig& hardware) {
    return models::accelerator_area(hardware, table).total();
  };
  const double available = whole(scenario.runs[1].hardware);
  EXPECT_EQ(scenario.runs[0].same_area_as, "cnn");
  EXPECT_GT(adder.columns, 16);
  EXPECT_LE(whole(scenario.runs[0].hardware), available);
  hw::HardwareConfig wider = scenario.runs[0].hardware;
  wider.array.rows = 16;
  ++wider.array.columns;
  EXPECT_GT(whole(wider), available);
  EXPECT_EQ(scenario.runs[1].hardware.array.columns, 16);
  EXPECT_EQ(scenario.runs[2].hardware.array.columns, 16);
  EXPECT_DOUBLE_EQ(scenario.runs[0].area_filled, whole(scenario.runs[0].hardware) / available);
  EXPECT_EQ(table_warnings(scenario).size(), scenario.runs[0].area_filled < 0.9 ? 1u : 0u);
}

TEST(Scenario, AnAreaThatIsNotFilledIsToldOf) {
  // Lanes that are much of the whole: two of 128 KiB of weights, where one of 192 KiB finds room.
  const ScenarioFile file(random_head +
                          "hardware.array = { weights_per_pe = 131072 }\n"
                          "hardware.edge_array = { rows = 1, columns = 1 }\n"
                          "[[run]]\nname = \"adder\"\n"
                          "hardware.array = { weights_per_pe = 196608, same_area_as = \"lane\" }\n"
                          "[[run]]\nname = \"lane\"\narithmetic = \"cnn\"\n"
                          "hardware.array = { rows = 1, columns = 2 }\n"
                          "[[run]]\nname = \"again\"\narithmetic = \"cnn\"\n"
                          "hardware.array = { rows = 1, same_area_as = \"lane\" }\n");
  const Scenario scenario = read_scenario(file.file());
  EXPECT_LT(scenario.runs[0].area_filled, 0.9);
  EXPECT_EQ(scenario.runs[2].area_filled, 1);
  EXPECT_THAT(table_warnings(scenario),
              ::testing::ElementsAre(AllOf(HasSubstr("run \"adder\" fills "),
                                           HasSubstr(" % of the area of \"lane\", with "))));
}

// Nothing but the formats of commands limits an array.
TEST(Scenario, ArraysMayBeLarge) {
  const auto rows = [](const std::string& size) {
    const ScenarioFile file(random_head + "hardware.array = { " + size + " }\n");
    return read_scenario(file.file()).runs[0].hardware.array.rows;
  };
  EXPECT_EQ(rows("rows = 512, columns = 512"), 512);
  EXPECT_EQ(rows("rows = 65535, columns = 65535"), 65535);
  EXPECT_THROW(rows("rows = 65536"), reading::InputError);

  // An area beyond 256 × 256 lanes is filled, too.
  const ScenarioFile file(random_head +
                          "[[run]]\nname = \"adder\"\nhardware.array.same_area_as = \"cnn\"\n"
                          "[[run]]\nname = \"cnn\"\narithmetic = \"cnn\"\n"
                          "hardware.array = { rows = 400, columns = 400 }\n");
  const Scenario scenario = read_scenario(file.file());
  EXPECT_GT(scenario.runs[0].area_filled, 0.9);
  EXPECT_GT(scenario.runs[0].hardware.array.columns, 256);
}

// Tables of before: without what time costs, and without memories.
class OlderTables : public ::testing::Test {
 protected:
  OlderTables() {
    const std::filesystem::path tables = std::filesystem::path(ABACUS_SOURCE_FOLDER) / "scenarios";
    const auto cut = [&](const char* table, const char* from, const char* file) {
      std::string text = test::read_text(tables / table);
      test::write_text(folder_.path() / file, text.substr(0, text.find(from)));
    };
    cut("energy/horowitz-45nm.toml", "[action.dram_read_io]", "energy.toml");
    cut("area/aladdin-40nm.toml", "[area.memory]", "area.toml");
  }
  std::string energy() const { return (folder_.path() / "energy.toml").string(); }
  std::string area() const { return (folder_.path() / "area.toml").string(); }

 private:
  test::TemporaryFolder folder_;
};

TEST_F(OlderTables, AreRefusedUnlessTheScenarioCountsWhatTheyLackAsZero) {
  const ScenarioFile refused(random_head + "energy.table = \"" + energy() + "\"\narea.table = \"" +
                             area() + "\"\n");
  EXPECT_THAT(error_of(refused),
              AllOf(HasSubstr("energy.table: table horowitz-45nm lacks leakage.adder"),
                    HasSubstr("action.dram_refresh; give it these, or count them as 0 by missing = "
                              "\"zero\""),
                    HasSubstr("area.table: table aladdin-40nm lacks area.memory, area.sram")));
  const ScenarioFile taken(random_head + "energy = { table = \"" + energy() +
                           "\", missing = \"zero\" }\narea = { table = \"" + area() +
                           "\", missing = \"zero\" }\n");
  const Scenario scenario = read_scenario(taken.file());
  EXPECT_THAT(scenario.runs[0].left_out_of_energy, ::testing::Contains("leakage.sram"));
  EXPECT_THAT(scenario.runs[0].left_out_of_area,
              ::testing::ElementsAre("area.memory", "area.sram"));
  EXPECT_THAT(table_warnings(scenario),
              ::testing::ElementsAre(
                  AllOf(HasSubstr("energy table horowitz-45nm lacks"), HasSubstr("count as 0")),
                  HasSubstr("area table aladdin-40nm lacks area.memory, area.sram")));
}

TEST(Scenario, FramesAndWhatHappensBetweenThem) {
  const RunSpec none = read_scenario(ScenarioFile(random_head).file()).runs[0];
  EXPECT_EQ(none.frames_per_second, 0);
  EXPECT_EQ(none.other_energy_tables.size(), 3u);  // the shipped ones but its own
  const ScenarioFile file(
      random_head + "energy = { frames_per_second = 30, between_frames = \"self-refresh\" }\n");
  const RunSpec run = read_scenario(file.file()).runs[0];
  EXPECT_EQ(run.frames_per_second, 30);
  EXPECT_EQ(run.between_frames, models::Action::dram_self_refresh);
  EXPECT_THAT(error_of(ScenarioFile(random_head + "energy.frames_per_second = 0\n")),
              HasSubstr("energy.frames_per_second: found 0; allowed: a number from 1e-06"));
  EXPECT_THAT(error_of(ScenarioFile(random_head + "energy.between_frames = \"off\"\n")),
              HasSubstr("allowed: power-down, self-refresh, standby"));
  EXPECT_THAT(error_of(ScenarioFile(random_head + "energy.missing = \"skip\"\n")),
              HasSubstr("allowed: refuse, zero"));
}

TEST(Scenario, MissingKeysSayWhatIsAllowed) {
  const ScenarioFile file("network = \"lenet\"\n");
  EXPECT_THAT(error_of(file), HasSubstr("arithmetic: is missing; allowed: cnn, adder, bnn, shift, "
                                        "shiftaddnet, post, apot, table"));
}

TEST(Scenario, MissingFileIsNamed) {
  try {
    read_scenario("/nowhere/s.toml");
    FAIL();
  } catch (const reading::InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/s.toml"));
  }
}

}  // namespace
}  // namespace abacus::experiment
