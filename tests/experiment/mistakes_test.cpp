// What people are told of mistakes in scenarios, presets and tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "sw/experiment/scenario.hpp"
#include "sw/experiment/table_files.hpp"
#include "sw/reading/node.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::experiment {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

const std::filesystem::path scenarios = std::filesystem::path(ABACUS_SOURCE_FOLDER) / "scenarios";

// Eight lines; a test's own text starts at line 9.
const std::string base = R"(network = "resnet20"
arithmetic = "adder"
weights = "synthetic"
image = [3, 32, 32]
classes = 10
timed_images = 1
quantization = { weight_bits = 4, activation_bits = 4 }
seed = 3
)";

std::string error_of(const std::function<void()>& read) {
  try {
    read();
  } catch (const reading::InputError& error) {
    return error.what();
  }
  return "no error";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class Mistake : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "s.toml"; }
  std::filesystem::path preset() const { return folder_.path() / "p.toml"; }
  std::string told(const std::string& text) const {
    test::write_text(folder_.path() / "c.safetensors", "");
    test::write_text(file(), text);
    return error_of([&] { read_scenario(file()); });
  }
  std::string told_of_preset(const std::string& text) const {
    test::write_text(preset(), text);
    return told(base + "hardware.preset = \"p.toml\"\n");
  }

  test::TemporaryFolder folder_;
};

// The text with one key after the other misspelt, its last letter doubled.
struct Misspelt {
  std::string key;
  std::string text;
};

std::vector<Misspelt> misspelt(const std::string& text) {
  std::vector<Misspelt> all;
  std::set<std::string> done;
  // Keys before an equals sign (the last of a dotted one), and the last ones of [tables].
  const std::regex key("([a-z_0-9]+) =|\\n\\[([a-z_0-9]+\\.)*([a-z_0-9]+)\\]");
  for (std::sregex_iterator at(text.begin(), text.end(), key), end; at != end; ++at) {
    const int group = (*at)[1].matched ? 1 : 3;
    const std::string name = (*at)[group];
    // Once in each table, of which a file has many alike.
    const std::size_t table = text.rfind("\n[", static_cast<std::size_t>(at->position(group)));
    if (!done.insert(name + '@' + (table == std::string::npos ? "" : text.substr(table, 30)))
             .second) {
      continue;
    }
    std::string changed = text;
    changed.insert(static_cast<std::size_t>(at->position(group) + at->length(group)), 1,
                   name.back());
    all.push_back({name, changed});
  }
  return all;
}

void expect_told_first(const Misspelt& one, const std::string& told,
                       const std::filesystem::path& file) {
  const std::vector<std::string> lines = lines_of(told);
  ASSERT_FALSE(lines.empty());
  EXPECT_THAT(lines.front(),
              AllOf(StartsWith(file.string() + ':'), HasSubstr(one.key + one.key.back() + '`'),
                    HasSubstr("did you mean `" + one.key + "`?")));
}

TEST_F(Mistake, EveryMisspeltKeyOfAScenarioIsToldFirst) {
  const std::string trained = R"(name = "all"
network = "lenet"
arithmetic = "adder"
dataset = "fashion-mnist"
checkpoint = "c.safetensors"
images = 10
timed_images = 1
level = "approximate"
engine = "vector"
[quantization]
scheme = "adderquant-ptq"
weight_bits = 4
activation_bits = 4
storage_bits = 8
groups = 2
[energy]
table = "horowitz-45nm"
missing = "refuse"
frames_per_second = 30
between_frames = "standby"
[area]
table = "aladdin-40nm"
missing = "refuse"
[hardware]
preset = "edge-16x16"
[hardware.array]
rows = 8
)";
  for (const std::string& text : {trained, base + "hardware.clock_mhz = 400\n"}) {
    ASSERT_EQ(told(text), "no error");
    const std::vector<Misspelt> all = misspelt(text);
    EXPECT_GE(all.size(), 9U);
    for (const Misspelt& one : all) expect_told_first(one, told(one.text), file());
  }
}

TEST_F(Mistake, EveryMisspeltKeyOfAPresetIsToldFirst) {
  const std::string text = test::read_text(scenarios / "hardware" / "edge-16x16.toml");
  const std::vector<Misspelt> all = misspelt(text);
  EXPECT_GE(all.size(), 50U);
  for (const Misspelt& one : all) expect_told_first(one, told_of_preset(one.text), preset());
}

TEST_F(Mistake, EveryMisspeltKeyOfATableIsToldFirst) {
  const auto check = [&](const char* table, const std::function<void()>& read) {
    const std::vector<Misspelt> all = misspelt(test::read_text(scenarios / table));
    EXPECT_GE(all.size(), 10U);
    for (const Misspelt& one : all) {
      test::write_text(file(), one.text);
      expect_told_first(one, error_of(read), file());
    }
  };
  check("energy/horowitz-45nm.toml", [&] { read_energy_table(file()); });
  check("area/aladdin-40nm.toml", [&] { read_area_table(file()); });
}

TEST_F(Mistake, AMisspeltKeyIsNotToldAsMissingNorLeadsToRemarksOnOthers) {
  EXPECT_THAT(lines_of(told("netwrok" + base.substr(7))), SizeIs(1));
  EXPECT_THAT(told("netwrok" + base.substr(7)),
              HasSubstr("s.toml:1:1: unknown key `netwrok`; did you mean `network`?"));
  std::string text = base;
  text.replace(text.find("weights"), 7, "weigths");
  EXPECT_THAT(lines_of(told(text)), SizeIs(1));
  EXPECT_THAT(told(text), HasSubstr("s.toml:3:1: unknown key `weigths`; did you mean `weights`?"));
}

TEST_F(Mistake, AllOfAFileAreToldAtOnceUnknownKeysFirst) {
  const std::string text = R"(network = "alexnet"
arithmetic = "adder"
weights = "synthetic"
image = [3, 32]
classes = 1
levl = "functional"
hardware = { clock_mhz = 0, array = { rows = 0, colums = 3 }, preset = "edge-16x16" }
energy.table = "none"
[[run]]
name = "a"
[[run]]
name = "a"
engine = "steam"
)";
  const std::vector<std::string> lines = lines_of(told(text));
  const std::vector<std::string> expected = {"unknown key `levl`",
                                             "unknown key `hardware.array.colums`",
                                             "1:11: network: found the text \"alexnet\"",
                                             "hardware.clock_mhz: found 0",
                                             "hardware.array.rows: found 0",
                                             "energy.table: found \"none\"",
                                             "two runs are called \"a\"",
                                             "13:10: engine: found the text \"steam\""};
  ASSERT_THAT(lines, SizeIs(expected.size())) << told(text);
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_THAT(lines[i], HasSubstr(expected[i]));
}

TEST_F(Mistake, ARuleOverSeveralKeysNamesAllOfThemFirstTheOneThatTheUserSet) {
  EXPECT_THAT(
      told(base + "hardware.dram.burst_length = 3\n"),
      AllOf(StartsWith(file().string() + ":9:30: hardware.dram.burst_length: found 3 with "),
            HasSubstr("hardware.dram.data_bits 16 ("), HasSubstr("hardware.dram.row_bytes 2048 ("),
            HasSubstr("edge-16x16.toml:"), HasSubstr("allowed: whole bytes a burst")));
  EXPECT_THAT(told(base + "hardware.dram.row_bytes = 1000\n"),
              StartsWith(file().string() + ":9:27: hardware.dram.row_bytes: found 1000 with "));
  EXPECT_THAT(told(base + "hardware.dram.t_rfc = 8000\n"),
              AllOf(StartsWith(file().string() + ":9:23: hardware.dram.t_rfc: found 8000 with "),
                    HasSubstr("hardware.dram.t_refi 7800 (")));
  // In a preset alone, it points there; what nobody says is a default.
  EXPECT_THAT(told_of_preset("[dram]\nburst_length = 3\n"),
              AllOf(StartsWith(preset().string() + ":2:16: hardware.dram.burst_length: found 3"),
                    HasSubstr("hardware.dram.row_bytes 2048 (the default)")));
}

TEST_F(Mistake, WhatIsAScenariosAloneIsRefusedInAPreset) {
  EXPECT_THAT(told_of_preset("preset = \"edge-32x32\"\nclock_mhz = 100\n"),
              StartsWith(preset().string() + ":1:1: unknown key `hardware.preset`"));
  EXPECT_THAT(told_of_preset("preset = \"nonsense\"\n"), HasSubstr(":1:1: unknown key"));
  // Also where the scenario has it.
  test::write_text(preset(), "[array]\nsame_area_as = \"b\"\n");
  EXPECT_THAT(told(base + "hardware.preset = \"p.toml\"\n[[run]]\nname = \"b\"\n"
                          "hardware.preset = \"edge-16x16\"\n[[run]]\nname = \"a\"\n"
                          "hardware.array.same_area_as = \"b\"\n"),
              StartsWith(preset().string() + ":2:1: unknown key `hardware.array.same_area_as`"));
}

TEST_F(Mistake, ADeviceIsKnownOrComesWithAllOfItsNumbers) {
  EXPECT_THAT(told(base + "hardware.dram.device = \"HBM3\"\n"),
              AllOf(StartsWith(file().string() + ":9:24: hardware.dram.device: found the text "
                                                 "\"HBM3\"; did you mean \"HBM2\"?; allowed: "),
                    HasSubstr("DDR3L-1600, DDR4-2400, HBM2, LPDDR4-3200, LPDDR5-6400, "
                              "MT41K128M16JT-125, or "),
                    HasSubstr("missing: bytes, banks, row_bytes,"), HasSubstr("t_refi")));
  EXPECT_EQ(told(base + "hardware.dram.device = \"MT41K128M16JT-125\"\n"), "no error");
  const std::string numbers =
      "bytes = 268435456\nbanks = 8\nrow_bytes = 2048\ndata_bits = 16\nburst_length = 8\n"
      "t_ck = 1\nt_rcd = 13\nt_rp = 13\nt_cl = 13\nt_cwl = 10\nt_ras = 35\nt_wr = 15\n"
      "t_wtr = 7.5\nt_rtp = 7.5\nt_rfc = 160\n";
  EXPECT_EQ(told_of_preset("[dram]\ndevice = \"mine\"\n" + numbers + "t_refi = 7800\n"),
            "no error");
  EXPECT_THAT(told_of_preset("[dram]\ndevice = \"mine\"\n" + numbers),
              AllOf(StartsWith(preset().string() + ":2:10: "), HasSubstr("missing: t_refi")));
  // A preset's numbers are not those of a device that the scenario names.
  test::write_text(preset(), "[dram]\ndevice = \"mine\"\n" + numbers + "t_refi = 7800\n");
  EXPECT_THAT(told(base + "hardware = { preset = \"p.toml\", dram = { device = \"other\" } }\n"),
              HasSubstr("missing: bytes"));
}

TEST_F(Mistake, TimingsThatContradictEachOtherAreRefusedTogether) {
  EXPECT_THAT(told(base + "hardware.dram.t_ras = 10\n"),
              AllOf(StartsWith(file().string() + ":9:23: hardware.dram.t_ras: found 10 with "),
                    HasSubstr("hardware.dram.t_rcd 13.75 ("),
                    HasSubstr("t_ras of at least t_rcd, else a row closes before it is open")));
  const auto refuses = [&](const std::string& dram, const std::string& what) {
    EXPECT_THAT(told(base + "hardware.dram = { " + dram + " }\n"), HasSubstr(what)) << dram;
  };
  refuses("t_rrd_s = 10, t_rrd_l = 5", "t_rrd_l of at least t_rrd_s");
  refuses("t_rrd_s = 10, t_faw = 5", "t_faw of at least t_rrd_s");
  refuses("t_wtr_l = 5", "t_wtr_l of at least t_wtr");
  refuses("t_ccd_l = 4", "t_ccd_l of at least a burst's time");
  refuses("bank_groups = 3", "banks a multiple of bank_groups");
  refuses("mapping = \"bank-group-interleaved\"", "more than one of bank_groups");
  refuses("refresh = \"per-bank\"", "a t_rfc_pb above 0");
  refuses("refresh = \"per-bank\", t_rfc_pb = 1000", "below t_refi / banks");
  refuses("power_down_after = 100", "with a t_xp above 0");
  refuses("controller = \"fr-fcfs\", write_high = 65", "and that at most queue_depth");
  refuses("controller = \"fr-fcfs\", write_low = 48", "write_low below write_high");
  refuses("channels = 2, channel_bytes = 24", "channel_bytes a multiple of a burst's bytes");
  refuses("transfers_per_clock = 16", "burst_length of at least transfers_per_clock");
  refuses("controller = \"fifo\"", "allowed: in-order, fr-fcfs");
}

TEST_F(Mistake, ABandwidthIsAskedForInWholeChannels) {
  EXPECT_EQ(told(base + "hardware.dram.bandwidth = 12.8\n"), "no error");
  EXPECT_EQ(told(base + "hardware.dram = { device = \"DDR4-2400\", bandwidth = 19.2 }\n"),
            "no error");
  EXPECT_THAT(told(base + "hardware.dram.bandwidth = 10\n"),
              AllOf(StartsWith(file().string() + ":9:27: hardware.dram.bandwidth: found 10; "),
                    HasSubstr("moves 3.2 GB/s; allowed: 1 to 64 times that")));
  EXPECT_THAT(told(base + "hardware.dram = { bandwidth = 12.8, channels = 2 }\n"),
              AllOf(HasSubstr("found 12.8 with "), HasSubstr("hardware.dram.channels 2 (")));
}

TEST_F(Mistake, OptionsThatCannotBeOptionsAreRefusedWithTheirPlace) {
  const std::string head =
      "network = \"lenet\"\narithmetic = \"adder\"\ndataset = \"fashion-mnist\"\n"
      "checkpoint = \"c.safetensors\"\n[quantization.options]\n";
  for (const char* name : {"out", "help", "checkpoint", "scheme", "weight_bits", "activation_bits",
                           "storage_bits", "data", "json", "print_recipe", "recipe_hash"}) {
    EXPECT_THAT(told(head + name + " = \"x\"\n"), StartsWith(file().string() + ":6:")) << name;
    EXPECT_THAT(told(head + name + " = \"x\"\n"), HasSubstr("is no option of a scheme")) << name;
  }
  for (const char* name : {"\"a=b\"", "\"two words\"", "\"-x\"", "\"\"", "Alpha"}) {
    EXPECT_THAT(told(head + name + " = 1\n"), HasSubstr("is no option's name")) << name;
  }
  EXPECT_THAT(told(head + "groups = 2\n[quantization]\ngroups = 4\n"),
              HasSubstr("groups: stands in quantization, too"));
  EXPECT_EQ(told(head + "alpha = 0.9\nbn_images = 10\n"), "no error");
}

}  // namespace
}  // namespace abacus::experiment
