#include "sw/experiment/results.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sw/experiment/saturation_warning.hpp"
#include "sw/experiment/table_agreement.hpp"
#include "sw/schedule/program.hpp"
#include "tests/experiment/prepared_scenario.hpp"

namespace abacus::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const sc_core::sc_time cycle(2.5, sc_core::SC_NS);

models::TimelineEntry entry(models::Unit unit, int layer, int start, int end, int stalled = 0) {
  return {unit, layer, cycle * start, cycle * end, cycle * stalled};
}

std::vector<double> cycles_of(const std::vector<LayerTime>& layers) {
  std::vector<double> cycles;
  for (const LayerTime& layer : layers) cycles.push_back(layer.cycles);
  return cycles;
}

// Doorbell at cycle 990, interrupt at 1120 with the last store.
TEST(LayerTimes, LayersEndWithTheirLastComputeAndAddUpToTheTotal) {
  const std::vector<models::TimelineEntry> timeline{
      entry(models::Unit::load, 0, 1005, 1020, 5),
      entry(models::Unit::compute_edge, 0, 1020, 1050),
      entry(models::Unit::load, 1, 1030, 1110),
      entry(models::Unit::store, 0, 1050, 1060),
      entry(models::Unit::compute_array, 1, 1060, 1100, 4),
      entry(models::Unit::compute_array, 1, 1100, 1105),
      entry(models::Unit::store, 1, 1105, 1120)};
  const auto layers = layer_times(timeline, 2, 130, cycle);
  EXPECT_THAT(cycles_of(layers), ElementsAre(60, 70));
  const auto& units = layers[1].units;
  EXPECT_EQ(units[static_cast<std::size_t>(models::Unit::compute_array)].busy, 45);
  EXPECT_EQ(units[static_cast<std::size_t>(models::Unit::compute_array)].stalled, 4);
  EXPECT_EQ(units[static_cast<std::size_t>(models::Unit::load)].busy, 80);
  EXPECT_EQ(layers[0].units[static_cast<std::size_t>(models::Unit::load)].stalled, 5);
}

TEST(LayerTimes, ALayerThatEndsBeforeAnEarlierOneTakesNoCycles) {
  const std::vector<models::TimelineEntry> timeline{
      entry(models::Unit::compute_array, 0, 100, 150),
      entry(models::Unit::compute_vector, 1, 100, 120),
      entry(models::Unit::compute_edge, 2, 150, 190)};
  EXPECT_THAT(cycles_of(layer_times(timeline, 4, 100, cycle)), ElementsAre(60, 0, 40, 0));
}

RunOutcome outcome() {
  RunOutcome result;
  result.images = 8;
  result.correct = 6;
  result.checked = 2;
  result.saturations = {0, 3};
  TimedImage image;
  image.cycles = 400;
  image.layers.resize(2);
  image.layers[0].cycles = 150;
  image.layers[1].cycles = 250;
  image.layers[1].units[static_cast<std::size_t>(models::Unit::store)] = {30, 10};
  image.activity[{1, models::Component::pe_array, models::Action::add, 8, 0}] = 1000;
  image.activity[{0, models::Component::dram, models::Action::dram_read, 128, 0}] = 10;
  image.activity[{-1, models::Component::dram, models::Action::dram_read, 128, 0}] = 1;
  result.timed = {image, image};
  result.timed[1].cycles = 401;
  return result;
}

struct Fixture {
  test::PreparedScenario prepared;
  RunSpec run = read_scenario(prepared.scenario()).runs[0];
  network::IntegerNetwork network = prepared.package(prepared.recipe());
  schedule::Program program;

  Fixture() {
    network.layers.resize(2);
    program.layers = {{"conv1", 12800, 4, 1, true, true}, {"conv2", 32000, 5, 2, false, false}};
  }
  nlohmann::ordered_json results(const RunOutcome& from, bool checked = false) const {
    return run_results(run, network, "package", program, from, checked);
  }
};

TEST(RunResults, HaveEveryFieldOfTheSchema) {
  const auto json = Fixture().results(outcome());
  for (const char* field :
       {"name", "network", "arithmetic", "dataset", "weight_bits", "activation_bits", "scheme",
        "images", "accuracy_percent", "float_accuracy_percent", "cycles_per_image",
        "time_per_image_us", "energy_per_image_uj", "energy_by_component_uj", "layers",
        "energy_table", "bit_exact"}) {
    EXPECT_TRUE(json.contains(field)) << field;
  }
  for (const char* field : {"name", "cycles", "macs_or_taps", "pe_utilisation", "energy_uj"}) {
    EXPECT_TRUE(json["layers"][0].contains(field)) << field;
  }
}

TEST(RunResults, PinAccuracyCyclesAndEnergy) {
  const auto json = Fixture().results(outcome());
  EXPECT_EQ(json["accuracy_percent"], 75.0);
  EXPECT_EQ(json["float_accuracy_percent"], 12.5);
  EXPECT_EQ(json["cycles_per_image"], 400.5);
  EXPECT_EQ(json["time_per_image_us"], 400.5 / 400);
  EXPECT_EQ(json["cycles_of_timed_images"]["lowest"], 400);
  EXPECT_EQ(json["cycles_of_timed_images"]["highest"], 401);
  // 1,000 8-bit adds at 0.03 pJ; 11 reads of 128 bits at 2,600 pJ, one of them outside the layers.
  EXPECT_NEAR(json["energy_per_image_uj"].get<double>(), 30e-6 + 11 * 2600e-6, 1e-12);
  EXPECT_NEAR(json["energy_by_component_uj"]["pe_array"].get<double>(), 30e-6, 1e-15);
  EXPECT_NEAR(json["energy_by_component_uj"]["dram"].get<double>(), 11 * 2600e-6, 1e-12);
  EXPECT_EQ(json["energy_by_component_uj"]["bus"], 0);
  EXPECT_NEAR(json["energy_outside_layers_uj"].get<double>(), 2600e-6, 1e-12);
  EXPECT_NEAR(json["layers"][0]["energy_uj"].get<double>(), 10 * 2600e-6, 1e-12);
  EXPECT_NEAR(json["layers"][1]["energy_uj"].get<double>(), 30e-6, 1e-15);
  EXPECT_EQ(json["layers"][1]["cycles"], 250);
  // Edge array: 4 × 16 lanes; array: 16 × 16.
  EXPECT_EQ(json["layers"][0]["pe_utilisation"], 12800.0 / (64 * 150));
  EXPECT_EQ(json["layers"][1]["pe_utilisation"], 32000.0 / (256 * 250));
  EXPECT_EQ(json["units"]["store"]["busy_cycles"], 30);
  EXPECT_EQ(json["units"]["store"]["stalled_cycles"], 10);
  EXPECT_EQ(json["accumulator_saturations"], 3);
}

// A timed image that did nothing but be there, for 1,000 ns of 400 cycles.
RunOutcome idle_outcome() {
  RunOutcome result = outcome();
  TimedImage image = result.timed[0];
  image.activity.clear();
  image.activity[{-1, models::Component::activation_sram, models::Action::leakage, 0, 0}] = 1000;
  image.activity[{-1, models::Component::dram, models::Action::dram_active_standby, 0, 0}] = 600;
  image.activity[{-1, models::Component::dram, models::Action::dram_precharge_standby, 0, 0}] = 400;
  image.activity[{-1, models::Component::dram, models::Action::dram_refresh, 0, 0}] = 2;
  image.activity[{-1, models::Component::sequencer, models::Action::clock_cycle, 1152, 0}] = 400;
  result.timed = {image};
  return result;
}

TEST(RunResults, DynamicAndStaticEnergyAreApart) {
  const auto json = Fixture().results(idle_outcome());
  // 4 banks of 32 KiB leak 1,543 uW each; the DRAM's currents times 1.35 V; two refreshes.
  const double sram = 1000 * 4 * 1.543e-6;
  const double dram = (600 * 49.95 + 400 * 31.05 + 2 * 26568) * 1e-6;
  const double clock = 400 * 1152 * 0.00225e-6;
  const auto of = [&](const char* field) { return json[field].get<double>(); };
  EXPECT_NEAR(of("static_energy_uj"), sram + dram, 1e-12);
  EXPECT_NEAR(of("dynamic_energy_uj"), clock, 1e-12);
  EXPECT_NEAR(of("energy_per_image_uj"), sram + dram + clock, 1e-12);
  EXPECT_NEAR(json["static_energy_by_component_uj"]["dram"].get<double>(), dram, 1e-12);
  EXPECT_EQ(json["static_energy_by_component_uj"]["sequencer"], 0);
  // 1 us an image.
  EXPECT_NEAR(of("power_mw"), 1e3 * (sram + dram + clock), 1e-9);
  EXPECT_NEAR(of("energy_delay_product_uj_us"), sram + dram + clock, 1e-12);
  EXPECT_NEAR(of("energy_outside_layers_uj"), sram + dram + clock, 1e-12);
  EXPECT_FALSE(json.contains("frame"));
  EXPECT_EQ(json["energy_left_out"], nlohmann::ordered_json::array());
  // All shipped tables price time alike; 1 is the run's own.
  EXPECT_EQ(json["energy_by_table_uj"].size(), 4u);
  EXPECT_NEAR(json["energy_by_table_uj"]["datasheet-45nm"].get<double>(), sram + dram + clock,
              1e-12);
}

TEST(RunResults, AFrameIsAnImageAndTheTimeUntilTheNextOne) {
  Fixture fixture;
  fixture.run.frames_per_second = 1e5;  // 10 us, of which the image takes 1
  const auto json = fixture.results(idle_outcome());
  const double image = json["energy_per_image_uj"].get<double>();
  const auto between = [&](models::Action state) {
    fixture.run.between_frames = state;
    return fixture.results(idle_outcome())["frame"]["between_uj"].get<double>();
  };
  // Leakage and idle clocks cost the same in each state of the DRAM; 9 us have 1 refresh.
  const double down = between(models::Action::dram_power_down);
  EXPECT_NEAR(between(models::Action::dram_precharge_standby) - down, 9000 * (31.05 - 16.2) * 1e-6,
              1e-9);
  EXPECT_NEAR(down - between(models::Action::dram_self_refresh), 26568e-6, 1e-9);
  EXPECT_GT(down,
            9000 * 16.2e-6 + 9 * json["energy_by_component_uj"]["activation_sram"].get<double>());
  EXPECT_EQ(json["frame"]["reached"], true);
  EXPECT_NEAR(json["frame"]["energy_uj"].get<double>(), image + down, 1e-9);
  EXPECT_NEAR(json["frame"]["power_mw"].get<double>(), (image + down) / 10 * 1e3, 1e-6);
  fixture.run.frames_per_second = 1.1e6;
  const auto late = fixture.results(idle_outcome())["frame"];
  EXPECT_EQ(late["reached"], false);
  EXPECT_TRUE(late["energy_uj"].is_null());
}

nlohmann::ordered_json priced(const char* name, double one, double other,
                              const char* network = "resnet20") {
  return {{"name", name},
          {"network", network},
          {"dataset", "cifar10"},
          {"energy_by_table_uj", {{"one", one}, {"other", other}}}};
}

TEST(TableDisagreements, AreTheRunsOfWhichTablesSayDifferently) {
  const nlohmann::ordered_json runs = {priced("a", 90, 103), priced("b", 100, 100),
                                       priced("c", 200, 200), priced("d", 100, 90, "resnet32")};
  const std::vector<TableDisagreement> found = table_disagreements(runs);
  ASSERT_EQ(found.size(), 1u);  // d is another network
  EXPECT_EQ(found[0].text(),
            "the tables differ about \"a\" and \"b\": \"a\" needs less energy (10 % by one) or "
            "more (3 % by other)");
  EXPECT_EQ(to_json(found)[0]["ratio_by_table"]["one"], 0.9);
  EXPECT_TRUE(table_disagreements({priced("a", 1, 2), priced("b", 1, 2)}).empty());
  // The order in which energies are added up makes no winner.
  EXPECT_TRUE(table_disagreements({priced("a", 1 - 1e-14, 2 + 1e-14), priced("b", 1, 2)}).empty());
  EXPECT_TRUE(
      table_disagreements(
          {priced("a", 1, 2), {{"name", "f"}, {"network", "resnet20"}, {"dataset", "cifar10"}}})
          .empty());
}

TEST(SaturationWarning, NamesWhatWasLostAndWhere) {
  nlohmann::ordered_json run = {{"name", "r"}, {"images", 3}, {"layers", nullptr}};
  run["layers"] = nlohmann::ordered_json::array();
  for (int layer = 0; layer < 6; ++layer) {
    run["layers"].push_back({{"name", "conv" + std::to_string(layer)}, {"saturations", 0}});
  }
  EXPECT_EQ(saturation_warning(run), "");
  run["layers"][1]["saturations"] = 1;
  EXPECT_EQ(saturation_warning(run), "run \"r\", 3 images: accumulators saturated 1 time (conv1)");
  for (int layer = 1; layer < 6; ++layer) run["layers"][layer]["saturations"] = 10;
  run["layers"][4]["step_saturations"] = {
      {"beta_underflows", 2}, {"beta_overflows", 3}, {"read_multiplier", 0}, {"multipliers", 7}};
  EXPECT_EQ(
      saturation_warning(run),
      "run \"r\", 3 images: accumulators saturated 50 times (conv1, conv2, conv3 and 2 other "
      "layers); step adapters' factors left their range 5 times (conv4); multipliers of adapted "
      "steps saturated 7 times (conv4)");
}

TEST(RunResults, BitExactIsTrueFalseOrUnknown) {
  const Fixture fixture;
  RunOutcome result = outcome();
  EXPECT_TRUE(fixture.results(result, false)["bit_exact"].is_null());
  EXPECT_EQ(fixture.results(result, true)["bit_exact"], true);
  result.mismatch = Mismatch{4, "conv2", 1, 2, 3, -5, 6};
  const auto json = fixture.results(result, true);
  EXPECT_EQ(json["bit_exact"], false);
  EXPECT_EQ(json["mismatch"],
            "image 4, layer conv2, row 1, column 2, channel 3: the hardware models have -5, the "
            "reference executor has 6");
}

TEST(RunResults, WithoutTimedImagesTimeAndEnergyAreNull) {
  RunOutcome result = outcome();
  result.timed.clear();
  const auto json = Fixture().results(result);
  EXPECT_TRUE(json["cycles_per_image"].is_null());
  EXPECT_TRUE(json["energy_per_image_uj"].is_null());
  EXPECT_TRUE(json["layers"][1]["cycles"].is_null());
  EXPECT_EQ(json["accuracy_percent"], 75.0);
}

TEST(RunOutcome, TravelsThroughJsonAndAddsUp) {
  RunOutcome first = outcome_from_json(to_json(outcome()));
  RunOutcome second = outcome();
  second.timed.clear();
  second.mismatch = Mismatch{9, "conv1", 0, 0, 0, 1, 2};
  append(first, outcome_from_json(to_json(second)));
  EXPECT_EQ(first.images, 16);
  EXPECT_EQ(first.correct, 12);
  EXPECT_EQ(first.checked, 4);
  EXPECT_THAT(first.saturations, ElementsAre(0, 6));
  ASSERT_TRUE(first.mismatch);
  EXPECT_EQ(first.mismatch->image, 9);
  ASSERT_EQ(first.timed.size(), 2u);
  ASSERT_EQ(first.timed[0].activity.size(), 3u);
  EXPECT_EQ(
      (first.timed[0].activity.at({1, models::Component::pe_array, models::Action::add, 8, 0})),
      1000);
  EXPECT_EQ((first.timed[0].activity.at(
                {-1, models::Component::dram, models::Action::dram_read, 128, 0})),
            1);
  EXPECT_EQ(first.timed[1].cycles, 401);
  EXPECT_EQ(first.timed[0].layers[1].units[static_cast<std::size_t>(models::Unit::store)].stalled,
            10);
}

TEST(WriteResults, LeavesOnlyTheFile) {
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "a");
  write_results(folder.path() / "a" / "results.json", {{"schema", 1}});
  EXPECT_EQ(test::read_text(folder.path() / "a" / "results.json"), "{\n  \"schema\": 1\n}\n");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path() / "a"), {}), 1);
}

}  // namespace
}  // namespace abacus::experiment
