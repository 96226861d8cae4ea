#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "sw/cli/simulator/simulate_command.hpp"
#include "sw/experiment/package_cache.hpp"
#include "sw/experiment/scenario.hpp"
#include "sw/experiment/simulation.hpp"
#include "sw/network/dataset.hpp"
#include "sw/network/element_file.hpp"
#include "sw/reading/node.hpp"
#include "sw/schedule/program.hpp"
#include "sw/support/child_process.hpp"
#include "sw/support/forked_work.hpp"
#include "sw/workload/synthetic_network.hpp"
#include "tests/experiment/prepared_scenario.hpp"
#include "tests/network/element_files.hpp"
#include "tests/tlm/random_element.hpp"

namespace abacus::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Simulate : public ::testing::Test {
 protected:
  SimulateOptions options(const std::string& out = "out") const {
    SimulateOptions given;
    given.scenario = prepared_.scenario();
    given.out = prepared_.folder() / out;
    given.cache = prepared_.cache();
    given.jobs = 1;
    given.quiet = true;
    return given;
  }
  std::filesystem::path results_file(const std::string& out = "out") const {
    return prepared_.folder() / out / "results.json";
  }
  nlohmann::ordered_json results(const std::string& out = "out") const {
    return nlohmann::ordered_json::parse(test::read_text(results_file(out)));
  }
  // The file without its only part that may differ.
  std::string timeless(const std::string& out) const {
    nlohmann::ordered_json json = results(out);
    EXPECT_EQ(json.erase("times"), 1u);
    EXPECT_EQ(json.erase("provenance"), 1u);
    return json.dump();
  }
  std::string error_of(const SimulateOptions& given) const {
    try {
      simulate(given);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "no error";
  }

  test::PreparedScenario prepared_;
};

// Ready packages of every arithmetic with exponent weights, and of adapted steps.
TEST_F(Simulate, RunsPackagesOfEveryShiftingArithmetic) {
  std::string text = "network = \"lenet\"\ndataset = \"fashion-mnist\"\nimages = 3\n";
  const auto add_run = [&](const std::string& name, network::Arithmetic arithmetic, int bits,
                           bool adapters) {
    workload::SyntheticOptions given;
    given.network = "lenet";
    given.arithmetic = arithmetic;
    given.weight_bits = given.activation_bits = bits;
    given.adapters = adapters;
    network::IntegerNetwork network = workload::synthetic_network(given);
    network.origin.dataset = "fashion-mnist";
    network::write_package(prepared_.folder() / (name + ".safetensors"), network);
    text += "[[run]]\nname = \"" + name + "\"\narithmetic = \"" + network::to_string(arithmetic) +
            "\"\npackage = \"" + name + ".safetensors\"\n";
  };
  add_run("shift", network::Arithmetic::shift, 5, false);
  add_run("shiftaddnet", network::Arithmetic::shiftaddnet, 4, false);
  add_run("post", network::Arithmetic::post, 4, true);
  text += "hardware.array.table = { lanes = 16, ports = 2 }\n";
  add_run("apot", network::Arithmetic::apot, 4, false);
  add_run("adapted", network::Arithmetic::cnn, 4, true);
  test::write_text(prepared_.scenario(), text);
  SimulateOptions given = options();
  given.check = true;
  EXPECT_EQ(simulate(given), 0);
  const auto runs = results()["runs"];
  ASSERT_EQ(runs.size(), 5u);
  for (const auto& run : runs) {
    EXPECT_EQ(run["bit_exact"], true) << run["name"];
    EXPECT_GT(run["energy_per_image_uj"].get<double>(), 0) << run["name"];
  }
  EXPECT_EQ(runs[1]["hardware"]["array"]["kind"], "shift-add");
  EXPECT_GT(runs[2]["energy_by_action_uj"]["table_read"].get<double>(), 0);
  EXPECT_GT(runs[2]["units"]["compute_array"]["stalled_cycles"].get<double>(),
            runs[3]["units"]["compute_array"]["stalled_cycles"].get<double>());
  for (const int adapted : {2, 4}) {
    EXPECT_GT(runs[static_cast<std::size_t>(adapted)]["units"]["step_adapter"]["busy_cycles"]
                  .get<double>(),
              0);
    EXPECT_TRUE(runs[static_cast<std::size_t>(adapted)]["layers"][2].contains("step_saturations"));
  }
  EXPECT_EQ(runs[3]["units"]["step_adapter"]["busy_cycles"].get<double>(), 0);
}

// Random weights: every arithmetic, without a file, a data set and a trainer.
TEST_F(Simulate, RunsRandomWeightsOfEveryArithmeticAndGivesNoAccuracy) {
  std::string text =
      "network = \"resnet20\"\nweights = \"synthetic\"\nimage = [3, 12, 12]\nclasses = 12\n"
      "timed_images = 1\n";
  for (const std::string& name : network::arithmetic_names()) {
    const std::string bits = name == "bnn" ? "1" : "3";
    if (name == "table") {
      test::write_element(prepared_.folder() / "element.toml",
                          test::product_element({3, true, 3, false}));
      text += "[[run]]\nname = \"table\"\narithmetic = \"table\"\nelement = \"element.toml\"\n";
      continue;
    }
    text += "[[run]]\nname = \"" + name + "\"\narithmetic = \"" + name +
            "\"\nquantization = { weight_bits = " + bits + ", activation_bits = " + bits + " }\n";
  }
  text +=
      "[[run]]\nname = \"adapted\"\narithmetic = \"post\"\n"
      "quantization = { weight_bits = 4, activation_bits = 4, adapters = true }\n"
      "[[run]]\nname = \"images of a data set\"\narithmetic = \"adder\"\n"
      "dataset = \"fashion-mnist\"\nquantization = { weight_bits = 4, activation_bits = 4 }\n"
      "[[run]]\nname = \"adapted shifts\"\narithmetic = \"shiftaddnet\"\n"
      "quantization = { weight_bits = 4, activation_bits = 4, adapters = true }\n";
  test::write_text(prepared_.scenario(), text);
  SimulateOptions given = options();
  given.check = true;
  ASSERT_EQ(simulate(given), 0);
  const auto runs = results()["runs"];
  ASSERT_EQ(runs.size(), network::arithmetic_names().size() + 3);
  for (const auto& run : runs) {
    EXPECT_EQ(run["bit_exact"], true) << run["name"];
    EXPECT_EQ(run["images"], 1) << run["name"];
    for (const char* unknown : {"accuracy_percent", "correct", "float_accuracy_percent",
                                "fake_quantized_accuracy_percent", "package_sha256"}) {
      EXPECT_TRUE(run[unknown].is_null()) << run["name"] << " " << unknown;
    }
    EXPECT_EQ(run["weights"], "synthetic");
    EXPECT_EQ(run["synthetic"]["why_no_accuracy"], "the weights are random");
    EXPECT_GT(run["cycles_per_image"].get<double>(), 0) << run["name"];
    EXPECT_GT(run["energy_per_image_uj"].get<double>(), 0) << run["name"];
    EXPECT_EQ(run["accumulator_saturations"], 0) << run["name"];
  }
  EXPECT_GT(runs.back()["units"]["step_adapter"]["busy_cycles"].get<double>(), 0);
  ASSERT_EQ(support::run_program(ABACUS_PROGRAM, {"report", results_file().string()},
                                 support::ChildOutput::discard),
            0);
  const std::string page = test::read_text(prepared_.folder() / "out" / "report.html");
  EXPECT_THAT(page, HasSubstr("No accuracy"));
  EXPECT_EQ(page.find("Accuracy against energy"), std::string::npos);
}

// A package for an element: the scenario's must be the same, and prices its taps.
TEST_F(Simulate, RunsPackagesForAnElementAndComparesTheTables) {
  const hw::ElementTable element = test::random_element(7);
  workload::SyntheticOptions given;
  given.network = "lenet";
  given.arithmetic = network::Arithmetic::table;
  given.element = element;
  network::IntegerNetwork network = workload::synthetic_network(given);
  network.origin.dataset = "fashion-mnist";
  network::write_package(prepared_.folder() / "table.safetensors", network);
  const std::string text =
      "network = \"lenet\"\ndataset = \"fashion-mnist\"\narithmetic = \"table\"\n"
      "package = \"table.safetensors\"\nimages = 2\n";
  test::write_text(prepared_.scenario(), text + "element = \"element.toml\"\n");
  test::write_element(prepared_.folder() / "element.toml", element);
  SimulateOptions checked = options();
  checked.check = true;
  ASSERT_EQ(simulate(checked), 0);
  const auto run = results()["runs"][0];
  EXPECT_EQ(run["bit_exact"], true);
  EXPECT_EQ(run["element"]["name"], element.name);
  EXPECT_EQ(run["element"]["sha256"], network::hash_of(element));
  EXPECT_EQ(run["hardware"]["array"]["kind"], "table");
  EXPECT_EQ(run["hardware"]["array"]["weight_bits"], element.weight_bits);
  // 0.5 pJ a tap and 100 µm² a lane (write_element), 256 lanes.
  double taps = 0;
  for (const auto& layer : run["layers"]) {
    if (layer["array"] == "array") taps += layer["macs_or_taps"].get<double>();
  }
  EXPECT_NEAR(run["energy_by_action_uj"]["element_tap"].get<double>(), taps * 0.5e-6, 1e-9);
  EXPECT_NEAR(run["area"]["units_um2"].get<double>(), 256 * 100, 1e-6);

  hw::ElementTable other = element;
  other.taps.front() = other.taps.front() == 0 ? -1 : 0;
  test::write_element(prepared_.folder() / "element.toml", other);
  EXPECT_THAT(error_of(options()),
              AllOf(HasSubstr("\"conv2\" is quantized for the element"), HasSubstr("a tap of")));
  test::write_text(prepared_.scenario(), text);
  EXPECT_THAT(error_of(options()), HasSubstr("element: is missing"));
  test::write_text(prepared_.scenario(), text + "element = \"none.toml\"\n");
  EXPECT_THAT(error_of(options()), HasSubstr("scenario.toml:6:11: element: there is no file"));
}

// The cost of a layer does not depend on its weights: those of another seed take as long.
TEST_F(Simulate, RandomWeightsOfAnotherSeedTakeTheSameCycles) {
  test::write_text(prepared_.scenario(),
                   "network = \"lenet\"\narithmetic = \"adder\"\nweights = \"synthetic\"\n"
                   "dataset = \"fashion-mnist\"\nimages = 3\n"
                   "[[run]]\nname = \"a\"\n[[run]]\nname = \"b\"\nseed = 2\n");
  ASSERT_EQ(simulate(options()), 0);
  const auto runs = results()["runs"];
  EXPECT_EQ(runs[0]["cycles_per_image"], runs[1]["cycles_per_image"]);
  EXPECT_EQ(runs[0]["activity_per_image"], runs[1]["activity_per_image"]);
  EXPECT_EQ(runs[0]["images"], 3);
}

TEST_F(Simulate, EqualAreaStandsInResultsAndReport) {
  test::write_text(prepared_.scenario(),
                   "network = \"resnet20\"\nweights = \"synthetic\"\nimage = [3, 16, 16]\n"
                   "classes = 10\ntimed_images = 1\n"
                   "[[run]]\nname = \"cnn\"\narithmetic = \"cnn\"\n"
                   "[[run]]\nname = \"adder\"\narithmetic = \"adder\"\n"
                   "[[run]]\nname = \"more adders\"\narithmetic = \"adder\"\n"
                   "hardware.array.same_area_as = \"cnn\"\n");
  SimulateOptions given = options();
  given.check = true;
  ASSERT_EQ(simulate(given), 0);
  const auto runs = results()["runs"];
  EXPECT_TRUE(runs[0]["area"]["same_area_as"].is_null());
  EXPECT_EQ(runs[2]["area"]["same_area_as"], "cnn");
  EXPECT_LT(runs[1]["area"]["array_um2"].get<double>(), runs[2]["area"]["array_um2"].get<double>());
  const auto whole = [&](std::size_t run) {
    return runs[run]["area"]["accelerator_um2"].get<double>();
  };
  EXPECT_LE(whole(2), whole(0));
  EXPECT_GT(whole(2), whole(1));
  EXPECT_GT(runs[2]["hardware"]["array"]["columns"].get<int>(), 16);
  for (const auto& run : runs) {
    double sum = 0;
    for (const char* part :
         {"units_um2", "registers_um2", "adder_trees_um2", "accumulators_um2", "memories_um2"}) {
      sum += run["area"][part].get<double>();
    }
    EXPECT_NEAR(run["area"]["array_um2"].get<double>(), sum, 1e-6);
    double blocks = 0;
    for (const auto& block : run["area"]["by_component_um2"]) blocks += block.get<double>();
    EXPECT_NEAR(run["area"]["accelerator_um2"].get<double>(), blocks, 1e-6);
    EXPECT_EQ(run["bit_exact"], true);
  }
  ASSERT_EQ(support::run_program(ABACUS_PROGRAM, {"report", results_file().string()},
                                 support::ChildOutput::discard),
            0);
  EXPECT_THAT(test::read_text(prepared_.folder() / "out" / "report.html"),
              HasSubstr("as many lanes as fit into the area of cnn"));
}

TEST_F(Simulate, StaticEnergyFollowsTheTimeAndGrowsWithTheMemory) {
  test::write_text(prepared_.scenario(),
                   "network = \"lenet\"\narithmetic = \"cnn\"\nweights = \"synthetic\"\n"
                   "image = [1, 28, 28]\nclasses = 10\ntimed_images = 1\n"
                   "[[run]]\nname = \"400 MHz\"\n"
                   "[[run]]\nname = \"40 MHz\"\nhardware.clock_mhz = 40\n"
                   "[[run]]\nname = \"more SRAM\"\nhardware.activation_sram.bytes = 1048576\n"
                   "[[run]]\nname = \"gated\"\nhardware.array.zero_gating = true\n");
  ASSERT_EQ(simulate(options()), 0);
  const auto runs = results()["runs"];
  const auto of = [&](std::size_t run, const char* field) {
    return runs[run][field].get<double>();
  };
  // Leakage is the time's to the nanosecond (of some 23,000), whatever the clock.
  const auto leakage = [&](std::size_t run) {
    return runs[run]["energy_by_action_uj"]["leakage"].get<double>();
  };
  EXPECT_NEAR(leakage(1) / leakage(0), of(1, "time_per_image_us") / of(0, "time_per_image_us"),
              5e-4);
  EXPECT_GT(of(1, "static_energy_uj"), 5 * of(0, "static_energy_uj"));
  EXPECT_GT(of(1, "energy_per_image_uj"), of(0, "energy_per_image_uj"));
  EXPECT_LT(of(1, "power_mw"), of(0, "power_mw"));
  EXPECT_GT(leakage(2) / of(2, "time_per_image_us"), leakage(0) / of(0, "time_per_image_us"));
  for (const auto& run : runs) {
    const double total = run["energy_per_image_uj"].get<double>();
    EXPECT_NEAR(run["dynamic_energy_uj"].get<double>() + run["static_energy_uj"].get<double>(),
                total, 1e-9 * total);
    double by_component = 0;
    for (const auto& part : run["static_energy_by_component_uj"])
      by_component += part.get<double>();
    EXPECT_NEAR(by_component, run["static_energy_uj"].get<double>(), 1e-9 * total);
    EXPECT_EQ(run["energy_by_table_uj"].size(), 4u);
    EXPECT_NEAR(run["energy_by_table_uj"]["horowitz-45nm"].get<double>(), total, 1e-9 * total);
  }
  // Zeros of images and weights: fewer multiplications, the same cycles.
  const auto multiplications = [&](std::size_t run) {
    return runs[run]["energy_by_action_uj"]["multiply"].get<double>();
  };
  EXPECT_LT(multiplications(3), multiplications(0));
  EXPECT_EQ(runs[3]["cycles_per_image"], runs[0]["cycles_per_image"]);
}

TEST_F(Simulate, ManyRandomImagesAreRefused) {
  test::write_text(prepared_.scenario(),
                   "network = \"lenet\"\narithmetic = \"adder\"\nweights = \"synthetic\"\n"
                   "image = [1, 28, 28]\nclasses = 10\nimages = 1001\n");
  EXPECT_THAT(error_of(options()), HasSubstr("6:10: images: found 1001"));
}

TEST_F(Simulate, NamesTheLayerThatALookupTableCannotServe) {
  workload::SyntheticOptions given;
  given.network = "lenet";
  given.arithmetic = network::Arithmetic::post;
  given.weight_bits = given.activation_bits = 6;
  network::IntegerNetwork network = workload::synthetic_network(given);
  network.origin.dataset = "fashion-mnist";
  network::write_package(prepared_.folder() / "post.safetensors", network);
  test::write_text(prepared_.scenario(),
                   "network = \"lenet\"\ndataset = \"fashion-mnist\"\narithmetic = \"post\"\n"
                   "package = \"post.safetensors\"\nimages = 1\n"
                   "hardware.array.table.exponents = 14\n");
  EXPECT_THAT(error_of(options()), HasSubstr("\"conv2\" has 31 levels, of which 15 need"));

  // Where nobody says how many it has, it has enough.
  test::write_text(prepared_.scenario(),
                   "network = \"lenet\"\ndataset = \"fashion-mnist\"\narithmetic = \"post\"\n"
                   "package = \"post.safetensors\"\nimages = 1\n");
  EXPECT_EQ(error_of(options()), "no error");
  EXPECT_EQ(results()["runs"][0]["hardware"]["array"]["table"]["exponents"], 15);

  test::write_text(prepared_.scenario(),
                   "network = \"lenet\"\ndataset = \"fashion-mnist\"\narithmetic = \"post\"\n"
                   "package = \"post.safetensors\"\nimages = 1\nhardware.step_adapter.lanes = 2\n");
  EXPECT_THAT(error_of(options()), HasSubstr("post.safetensors has no step adapters"));
}

TEST_F(Simulate, IsBitExactAndFillsTheResults) {
  SimulateOptions given = options();
  given.check = true;
  EXPECT_EQ(simulate(given), 0);
  const auto run = results()["runs"][0];
  EXPECT_EQ(run["images"], 20);
  EXPECT_EQ(run["bit_exact"], true);
  EXPECT_EQ(run["checked_images"], 10);
  EXPECT_EQ(run["timed_images"], 2);
  EXPECT_GT(run["cycles_per_image"].get<double>(), 0);
  EXPECT_GT(run["energy_per_image_uj"].get<double>(), 0);
  double cycles = 0;
  double taps = 0;
  double energy = run["energy_outside_layers_uj"].get<double>();
  for (const auto& layer : run["layers"]) {
    cycles += layer["cycles"].get<double>();
    taps += layer["macs_or_taps"].get<double>();
    energy += layer["energy_uj"].get<double>();
    EXPECT_LE(layer["pe_utilisation"].get<double>(), 1.0) << layer["name"];
  }
  EXPECT_EQ(cycles, run["cycles_per_image"].get<double>());
  EXPECT_GT(taps, 0);
  EXPECT_NEAR(energy, run["energy_per_image_uj"].get<double>(), 1e-9 * energy);
}

TEST_F(Simulate, TwoImagesTakeTheSameCycles) {
  ASSERT_EQ(simulate(options()), 0);
  const auto cycles = results()["runs"][0]["cycles_of_timed_images"];
  EXPECT_EQ(cycles["lowest"], cycles["highest"]);
}

TEST_F(Simulate, SameScenarioTwiceGivesTheSameBytes) {
  simulate(options("a"));
  simulate(options("b"));
  EXPECT_EQ(timeless("a"), timeless("b"));
}

TEST_F(Simulate, AnyNumberOfProcessesGivesTheSameBytes) {
  simulate(options("one"));
  for (const int jobs : {2, 3, 7, 64}) {
    SimulateOptions given = options("many");
    given.jobs = jobs;
    simulate(given);
    EXPECT_EQ(timeless("one"), timeless("many")) << jobs;
  }
}

TEST_F(Simulate, SeveralRunsShareTheFile) {
  prepared_.write_scenario(R"(
[[run]]
name = "timed"
[[run]]
name = "functional"
level = "functional"
images = 7
[[run]]
name = "other hardware"
hardware.preset = "tiny-8x8"
)");
  simulate(options());
  const auto runs = results()["runs"];
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_TRUE(runs[1]["cycles_per_image"].is_null());
  EXPECT_EQ(runs[1]["images"], 7);
  EXPECT_GT(runs[2]["cycles_per_image"].get<double>(), runs[0]["cycles_per_image"].get<double>());
  EXPECT_EQ(runs[2]["accuracy_percent"], runs[0]["accuracy_percent"]);
}

TEST_F(Simulate, ImagesOnTheCommandLineReplaceTheScenarios) {
  SimulateOptions given = options();
  given.images = 3;
  simulate(given);
  EXPECT_EQ(results()["runs"][0]["images"], 3);
}

TEST_F(Simulate, MoreImagesThanThereAreIsAnErrorWithItsPlace) {
  prepared_.write_scenario("[[run]]\nname = \"a\"\nimages = 10001\n");
  EXPECT_THAT(error_of(options()), HasSubstr("scenario.toml:11:10: images: found 10001"));
  EXPECT_FALSE(std::filesystem::exists(results_file()));
}

TEST_F(Simulate, ACheckpointOfAnotherNetworkIsAnErrorWithItsPlace) {
  prepared_.write_scenario("[[run]]\nname = \"a\"\nnetwork = \"resnet20\"\n");
  EXPECT_THAT(error_of(options()),
              HasSubstr("holds network \"lenet\"; run \"a\" wants \"resnet20\""));
}

TEST_F(Simulate, AReadyPackageRunsWithoutTheTrainerAndTellsItsQuantization) {
  ASSERT_EQ(simulate(options("checkpoint")), 0);
  network::write_package(prepared_.folder() / "p.safetensors",
                         prepared_.package(prepared_.recipe()));
  prepared_.write_scenario("[[run]]\nname = \"prepared\"\npackage = \"p.safetensors\"\n");
  SimulateOptions given = options();
  given.cache = prepared_.folder() / "empty";
  given.check = true;
  ASSERT_EQ(simulate(given), 0);
  EXPECT_FALSE(std::filesystem::exists(given.cache));
  const auto run = results()["runs"][0];
  const auto other = results("checkpoint")["runs"][0];
  EXPECT_EQ(run["bit_exact"], true);
  for (const char* key : {"accuracy_percent", "float_accuracy_percent", "cycles_per_image",
                          "scheme", "weight_bits", "activation_bits", "storage_bits"}) {
    EXPECT_EQ(run[key], other[key]) << key;
  }
}

TEST_F(Simulate, APackageOfAnotherNetworkIsAnErrorWithItsPlace) {
  network::write_package(prepared_.folder() / "p.safetensors",
                         prepared_.package(prepared_.recipe()));
  const std::string run = "[[run]]\nname = \"a\"\npackage = \"p.safetensors\"\n";
  prepared_.write_scenario(run + "network = \"resnet20\"\n");
  EXPECT_THAT(error_of(options()), HasSubstr("scenario.toml:11:11: package: "));
  EXPECT_THAT(error_of(options()),
              HasSubstr("holds network \"lenet\"; run \"a\" wants \"resnet20\""));
  prepared_.write_scenario(run + "arithmetic = \"cnn\"\n");
  EXPECT_THAT(error_of(options()), HasSubstr("holds arithmetic \"adder\""));
}

// Smaller images would be read at the wrong places, larger ones past their end; the check against the
// reference sees neither.
TEST_F(Simulate, APackageForOtherImagesOrClassesIsAnErrorWithItsPlace) {
  const auto error_with = [&](const network::Shape& image, int classes) {
    workload::SyntheticOptions given;
    given.network = "lenet";
    given.image = image;
    given.classes = classes;
    network::IntegerNetwork network = workload::synthetic_network(given);
    network.origin.dataset = "fashion-mnist";
    network::write_package(prepared_.folder() / "p.safetensors", network);
    prepared_.write_scenario("[[run]]\nname = \"a\"\npackage = \"p.safetensors\"\n");
    const std::string error = error_of(options());
    EXPECT_THAT(error, HasSubstr("scenario.toml:11:11: package: "));
    EXPECT_THAT(error, HasSubstr("p.safetensors: found a network for "));
    EXPECT_FALSE(std::filesystem::exists(results_file()));
    return error;
  };
  EXPECT_THAT(error_with({1, 4, 4}, 10),
              HasSubstr("images of shape 1x4x4; allowed: images of shape 1x28x28"));
  EXPECT_THAT(error_with({1, 64, 64}, 10), HasSubstr("images of shape 1x64x64"));
  EXPECT_THAT(error_with({3, 28, 28}, 10), HasSubstr("images of shape 3x28x28"));
  EXPECT_THAT(error_with({1, 28, 28}, 5), HasSubstr("5 classes; allowed: 10 classes"));
}

// Whoever joins a network with images asks, not the commands alone.
TEST_F(Simulate, ASimulationRefusesImagesThatAreNotThePackages) {
  const network::IntegerNetwork& network = prepared_.network();
  const hw::HardwareConfig hardware =
      experiment::read_scenario(prepared_.scenario()).runs[0].hardware;
  network::Dataset images;
  images.name = "small";
  images.image = {1, 4, 4};
  images.classes = network.classes;
  images.labels = {0};
  images.pixels.resize(16);
  EXPECT_THROW(experiment::simulate_slice(network, schedule::schedule(network, hardware), hardware,
                                          hw::TimingLevel::functional, "vector", images,
                                          {0, 1, 0, 0}, [](std::int64_t) {}),
               std::invalid_argument);
}

TEST_F(Simulate, RandomImagesThatNoMemoryHoldsAreRefused) {
  test::write_text(prepared_.scenario(),
                   "network = \"lenet\"\narithmetic = \"cnn\"\nweights = \"synthetic\"\n"
                   "image = [64, 4096, 4096]\nclasses = 10\nimages = 1000\n");
  EXPECT_THAT(error_of(options()),
              HasSubstr("6:10: images: found 1000; allowed: 0 (the timed ones) "
                        "to 4, of random images of this size"));
}

TEST_F(Simulate, ADamagedPackageIsAnErrorWithItsPlace) {
  test::write_text(prepared_.folder() / "p.safetensors", "half a package");
  prepared_.write_scenario("[[run]]\nname = \"a\"\npackage = \"p.safetensors\"\n");
  const std::string error = error_of(options());
  EXPECT_THAT(error, HasSubstr("scenario.toml:11:11: package: "));
  EXPECT_THAT(error, HasSubstr("p.safetensors"));
}

TEST_F(Simulate, AFailureLeavesOlderResultsAndReport) {
  ASSERT_EQ(simulate(options()), 0);
  const auto report = prepared_.folder() / "out" / "report.html";
  test::write_text(report, "old");
  for (const char* wrong : {"[[run]]\nname = \"a\"\nimages = 10001\n",
                            "[[run]]\nname = \"a\"\nnetwork = \"resnet20\"\n",
                            "[hardware]\nactivation_sram.bytes = 512\n"}) {
    test::write_text(results_file(), "old");
    test::write_text(report, "old");
    prepared_.write_scenario(wrong);
    EXPECT_NE(error_of(options()), "no error");
    EXPECT_EQ(test::read_text(results_file()), "old") << wrong;
    EXPECT_EQ(test::read_text(report), "old") << wrong;
  }
}

TEST_F(Simulate, ResultsTellWhatMadeThem) {
  ASSERT_EQ(simulate(options()), 0);
  const auto json = results();
  EXPECT_EQ(json["schema"], 2);
  const auto& provenance = json["provenance"];
  EXPECT_EQ(provenance["program"], "abacus");
  for (const char* text : {"version", "compiler", "flags", "processor", "host"}) {
    EXPECT_FALSE(provenance[text].get<std::string>().empty()) << text;
  }
  EXPECT_TRUE(provenance["dirty"].is_boolean());
  EXPECT_TRUE(provenance["libraries"].contains("SystemC"));
  EXPECT_TRUE(provenance["libraries"].contains("GNU C Library"));
  EXPECT_GE(provenance["command"].size(), 1U);
}

TEST_F(Simulate, WhatIsSetStandsInTheResults) {
  SimulateOptions given = options();
  given.settings = {"images=3", "hardware.preset=tiny-8x8"};
  ASSERT_EQ(simulate(given), 0);
  const auto json = results();
  EXPECT_EQ(json["runs"][0]["images"], 3);
  EXPECT_EQ(json["runs"][0]["hardware"]["preset"], "tiny-8x8");
  EXPECT_EQ(json["scenario"]["set"],
            nlohmann::ordered_json({"images=3", "hardware.preset=tiny-8x8"}));
}

// Runs that take a while, the last one too long.
class Unfinished : public Simulate {
 protected:
  std::filesystem::path partial_file() const {
    return prepared_.folder() / "out" / "results.partial.jsonl";
  }
  std::vector<nlohmann::json> lines() const {
    std::vector<nlohmann::json> all;
    std::istringstream in(test::read_text(partial_file()));
    for (std::string line; std::getline(in, line);) {
      all.push_back(nlohmann::json::parse(line, nullptr, false));
    }
    return all;
  }
  void write_runs() const {
    prepared_.write_scenario(
        "[[run]]\nname = \"a\"\n[[run]]\nname = \"b\"\nimages = 3\n[[run]]\nname = \"c\"\n");
  }
  // What a command leaves that was killed before its last `missing` runs, the last line half written.
  void leave(int finished) {
    SimulateOptions given = options();
    ASSERT_EQ(simulate(given), 0);
    whole_ = timeless("out");
    const auto json = results();
    std::filesystem::remove(results_file());
    // By a command whose results cannot be written.
    std::filesystem::create_symlink("/dev/full", results_file());
    EXPECT_NE(error_of(given), "no error");
    std::filesystem::remove(results_file());
    std::istringstream in(test::read_text(partial_file()));
    std::string text;
    std::string line;
    for (int i = 0; i <= finished && std::getline(in, line); ++i) text += line + '\n';
    std::getline(in, line);
    test::write_text(partial_file(), text + line.substr(0, line.size() / 2));
  }

  std::string whole_;
};

TEST_F(Unfinished, RunsAreKeptAndTheSameCommandGoesOn) {
  write_runs();
  leave(1);
  // The kept run is taken, not made again: a mark in it stays.
  std::string text = test::read_text(partial_file());
  const std::size_t at = text.find("\"energy_table_title\":\"");
  ASSERT_NE(at, std::string::npos);
  text.insert(at + std::strlen("\"energy_table_title\":\""), "MARK ");
  test::write_text(partial_file(), text);
  ASSERT_EQ(simulate(options()), 0);
  EXPECT_FALSE(std::filesystem::exists(partial_file()));
  const auto json = results();
  ASSERT_EQ(json["runs"].size(), 3U);
  EXPECT_THAT(json["runs"][0]["energy_table_title"].get<std::string>(),
              ::testing::StartsWith("MARK "));
  EXPECT_EQ(json["times"]["runs"].size(), 3U);
  std::string same = timeless("out");
  same.erase(same.find("MARK "), 5);
  EXPECT_EQ(same, whole_);
}

TEST_F(Unfinished, OtherInputsTakeNothingOfThem) {
  write_runs();
  leave(2);
  SimulateOptions given = options();
  given.images = 2;
  ASSERT_EQ(simulate(given), 0);
  for (const auto& run : results()["runs"]) EXPECT_EQ(run["images"], 2);
  EXPECT_FALSE(std::filesystem::exists(partial_file()));
}

TEST_F(Unfinished, TheFileSaysWhichRunsAreMissing) {
  write_runs();
  leave(1);
  const std::vector<nlohmann::json> left = lines();
  ASSERT_EQ(left.size(), 3U);
  EXPECT_EQ(left[0]["missing"], nlohmann::json({"a", "b", "c"}));
  EXPECT_EQ(left[1]["run"]["name"], "a");
  EXPECT_TRUE(left[2].is_discarded());
  // The next one that does not come to its end adds to it.
  std::filesystem::create_symlink("/dev/full", results_file());
  EXPECT_THAT(error_of(options()), HasSubstr("No space left on device"));
  const std::vector<nlohmann::json> more = lines();
  ASSERT_EQ(more.size(), 6U);
  EXPECT_EQ(more[3]["missing"], nlohmann::json({"b", "c"}));
  EXPECT_EQ(more[5]["run"]["name"], "c");
}

TEST_F(Unfinished, WhatIsNoKeptRunIsNone) {
  write_runs();
  leave(3);
  const std::string kept = test::read_text(partial_file());
  test::write_text(partial_file(),
                   "[]\nnull\n{\"identity\": 5}\n{\"identity\": \"x\", \"run\": []}\n");
  ASSERT_EQ(simulate(options()), 0);
  EXPECT_EQ(timeless("out"), whole_);
  std::filesystem::create_directory(partial_file());
  EXPECT_THAT(error_of(options()), HasSubstr("results.partial.jsonl: is no file"));
}

TEST_F(Simulate, AllRunsThatDoNotFitAreToldBeforeTheFirstImage) {
  prepared_.write_scenario(
      "[[run]]\nname = \"a\"\n[[run]]\nname = \"b\"\nhardware.weight_sram.bytes = 256\n"
      "[[run]]\nname = \"c\"\nhardware.activation_sram.bytes = 512\n");
  const std::string error = error_of(options());
  EXPECT_THAT(error, AllOf(HasSubstr("run \"b\""), HasSubstr("run \"c\"")));
  EXPECT_FALSE(std::filesystem::exists(results_file()));
  EXPECT_FALSE(std::filesystem::exists(results_file().replace_filename("results.partial.jsonl")));
}

TEST_F(Simulate, HardwareThatIsTooSmallIsAnErrorThatNamesRunAndLayer) {
  prepared_.write_scenario("[hardware]\nactivation_sram.bytes = 512\n");
  const std::string error = error_of(options());
  EXPECT_THAT(error, HasSubstr("run \"prepared\""));
  EXPECT_THAT(error, HasSubstr("layer \""));
  EXPECT_THAT(error, HasSubstr("512"));
  EXPECT_FALSE(std::filesystem::exists(results_file()));
}

TEST_F(Simulate, AFailingSecondRunLeavesNoResults) {
  prepared_.write_scenario(
      "[[run]]\nname = \"a\"\n[[run]]\nname = \"b\"\nhardware.weight_sram.bytes = 256\n");
  EXPECT_THAT(error_of(options()), HasSubstr("run \"b\""));
  EXPECT_FALSE(std::filesystem::exists(results_file()));
}

TEST_F(Simulate, AnEnergyTableThatLacksAnActionIsAnErrorThatNamesIt) {
  test::write_text(prepared_.folder() / "t.toml",
                   "name = \"poor\"\ntitle = \"t\"\ntechnology = \"t\"\n[action.add]\nlaw = "
                   "\"constant\"\npj = 1\nsource = \"s\"\n");
  prepared_.write_scenario("energy.table = \"t.toml\"\n");
  EXPECT_THAT(error_of(options()), HasSubstr("energy.table: table poor lacks leakage.adder"));
  prepared_.write_scenario("energy = { table = \"t.toml\", missing = \"zero\" }\n");
  EXPECT_THAT(error_of(options()), HasSubstr("energy table poor has no action"));
  EXPECT_FALSE(std::filesystem::exists(results_file()));
}

// From outside, hardware and reference always get one package. Here the program comes from another
// one, as if a weight had changed on its way into the accelerator.
TEST_F(Simulate, TheCheckNamesTheLayerWhoseOutputDiffersFromTheReference) {
  const network::IntegerNetwork& reference = prepared_.network();
  network::IntegerNetwork changed = reference;
  const auto layer = std::find_if(
      changed.layers.begin(), changed.layers.end(), [](const network::IntegerLayer& candidate) {
        return candidate.kind == network::IntegerLayerKind::convolution && !candidate.edge;
      });
  ASSERT_NE(layer, changed.layers.end());
  for (std::int64_t& bias : layer->biases) bias += std::int64_t{1} << layer->shift;
  const hw::HardwareConfig hardware =
      experiment::read_scenario(prepared_.scenario()).runs[0].hardware;
  const network::Dataset dataset = network::load_dataset("fashion-mnist", network::Split::test, "");
  const support::Work work = [&](int, const support::Report& report) {
    return experiment::to_json(experiment::simulate_slice(
        reference, schedule::schedule(changed, hardware), hardware, hw::TimingLevel::functional,
        "vector", dataset, {0, 2, 0, 2}, report));
  };
  const experiment::RunOutcome outcome =
      experiment::outcome_from_json(support::run_forked(1, work, [](std::int64_t) {}).front());
  ASSERT_TRUE(outcome.mismatch.has_value());
  EXPECT_EQ(outcome.mismatch->layer, layer->name);
  EXPECT_EQ(outcome.mismatch->image, 0);
}

// The check looks at the memories without time and traffic: nothing else of the outcome knows of it.
TEST_F(Simulate, TheCheckChangesNothingThatIsMeasured) {
  const network::IntegerNetwork& network = prepared_.network();
  const hw::HardwareConfig hardware =
      experiment::read_scenario(prepared_.scenario()).runs[0].hardware;
  const network::Dataset dataset = network::load_dataset("fashion-mnist", network::Split::test, "");
  const auto outcome = [&](std::int64_t checked) {
    const support::Work work = [&](int, const support::Report& report) {
      return experiment::to_json(experiment::simulate_slice(
          network, schedule::schedule(network, hardware), hardware, hw::TimingLevel::approximate,
          "vector", dataset, {0, 3, 2, checked}, report));
    };
    return experiment::outcome_from_json(support::run_forked(1, work, [](std::int64_t) {}).front());
  };
  experiment::RunOutcome with = outcome(3);
  const experiment::RunOutcome without = outcome(0);
  EXPECT_EQ(with.checked, 3);
  EXPECT_FALSE(with.mismatch);
  with.checked = 0;
  EXPECT_EQ(experiment::to_json(with), experiment::to_json(without));
}

// The program itself.
class SimulateProgram : public Simulate {
 protected:
  std::vector<std::string> arguments(const std::string& scenario) const {
    return {"simulate", scenario,
            "--out",    (prepared_.folder() / "out").string(),
            "--cache",  prepared_.cache().string(),
            "--quiet"};
  }
};

TEST_F(SimulateProgram, ExitStatusIsZeroOnlyForASuccess) {
  EXPECT_EQ(support::run_program(ABACUS_PROGRAM, arguments(prepared_.scenario().string()),
                                 support::ChildOutput::discard),
            0);
  EXPECT_TRUE(std::filesystem::exists(results_file()));
  EXPECT_EQ(
      support::run_program(ABACUS_PROGRAM, arguments("none.toml"), support::ChildOutput::discard),
      1);
  EXPECT_NE(support::run_program(ABACUS_PROGRAM, {"simulate"}, support::ChildOutput::discard), 0);
  EXPECT_NE(support::run_program(ABACUS_PROGRAM, {"conquer"}, support::ChildOutput::discard), 0);
}

TEST_F(SimulateProgram, TheReportIsOnePageOnItsOwn) {
  prepared_.write_scenario(R"(
[[run]]
name = "first <run>"
[[run]]
name = "functional only"
level = "functional"
)");
  SimulateOptions given = options();
  given.check = true;
  ASSERT_EQ(simulate(given), 0);
  ASSERT_EQ(support::run_program(ABACUS_PROGRAM, {"report", results_file().string()},
                                 support::ChildOutput::discard),
            0);
  const std::string page = test::read_text(prepared_.folder() / "out" / "report.html");
  EXPECT_THAT(page, HasSubstr("first &lt;run&gt;"));
  EXPECT_THAT(page, HasSubstr("functional only"));
  EXPECT_THAT(page, HasSubstr("horowitz-45nm"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  for (const char* outside : {"<script src", "<link", "<img", "@import"}) {
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
  }
}

TEST_F(SimulateProgram, DescribesNetworksAndRefusesHalfADescription) {
  const std::string csv = (prepared_.folder() / "layers.csv").string();
  const auto describe = [&](std::vector<std::string> more) {
    std::vector<std::string> all{"describe", "--csv", csv};
    all.insert(all.end(), more.begin(), more.end());
    return support::capture_program(ABACUS_PROGRAM, all);
  };
  const std::vector<std::pair<std::vector<std::string>, std::string>> refused = {
      {{"--network", "lenet"}, "give --dataset, or --image C,H,W and --classes K"},
      {{"--network", "lenet", "--image", "1,28,28"}, "give --dataset, or"},
      {{"--network", "lenet", "--image", "1,28", "--classes", "10"}, "--image"},
      {{"--network", "lenet", "--image", "1,28,30", "--classes", "10"}, "square images"},
      {{"--network", "lenet", "--dataset", "cifar10", "--classes", "10"}, "excludes"},
      {{"--network", "alexnet", "--dataset", "cifar10"}, "alexnet"},
      {{"--network", "lenet", "--dataset", "cifar10", "--arithmetic", "none"}, "none"}};
  for (const auto& [arguments, message] : refused) {
    const support::ProgramOutput found = describe(arguments);
    EXPECT_NE(found.status, 0) << message;
    EXPECT_THAT(found.err, HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(csv));
  }
  EXPECT_EQ(describe({"--network", "resnet50", "--image", "3,224,224", "--classes", "9"}).status,
            0);
  EXPECT_THAT(test::read_text(csv), HasSubstr("\nfc,convolution,cnn,edge,2048,1,1,9,1,1,"));
  const support::ProgramOutput table = support::capture_program(
      ABACUS_PROGRAM, {"describe", "--network", "lenet", "--dataset", "cifar10"});
  EXPECT_EQ(table.status, 0);
  EXPECT_THAT(table.out, HasSubstr("total"));
}

TEST_F(SimulateProgram, AReportOfSomethingElseFailsAndLeavesNoPage) {
  const auto file = prepared_.folder() / "other.json";
  const auto out = prepared_.folder() / "page.html";
  for (const char* text : {"{\"schema\": 99, \"runs\": []}", "not json", "[]"}) {
    test::write_text(file, text);
    EXPECT_EQ(support::run_program(ABACUS_PROGRAM, {"report", file.string(), "--out", out.string()},
                                   support::ChildOutput::discard),
              1)
        << text;
    EXPECT_FALSE(std::filesystem::exists(out));
  }
}

TEST_F(SimulateProgram, AnInterruptLeavesFinishedRunsForTheNextCommand) {
  prepared_.write_scenario(
      "[[run]]\nname = \"short\"\nimages = 2\n[[run]]\nname = \"long\"\nimages = 10000\n");
  const std::filesystem::path partial = prepared_.folder() / "out" / "results.partial.jsonl";
  const pid_t process = ::fork();
  ASSERT_GE(process, 0);
  if (process == 0) {
    const std::string out = (prepared_.folder() / "out").string();
    ::execl(ABACUS_PROGRAM, "abacus", "simulate", prepared_.scenario().c_str(), "--out",
            out.c_str(), "--cache", prepared_.cache().c_str(), "--quiet", "--jobs", "2", "--check",
            "--check-images", "10000", nullptr);
    ::_exit(127);
  }
  const auto finished = [&] {
    std::error_code ignored;
    return std::filesystem::exists(partial, ignored) &&
           test::read_text(partial).find("\"identity\"") != std::string::npos;
  };
  while (!finished()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ::kill(process, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(process, &status, 0), process);
  EXPECT_FALSE(std::filesystem::exists(results_file()));
  // A run of that name with other images is another run; the kept one is still that command's.
  const support::ProgramOutput said = support::capture_program(
      ABACUS_PROGRAM,
      {"simulate", prepared_.scenario().string(), "--out", (prepared_.folder() / "out").string(),
       "--cache", prepared_.cache().string(), "--quiet", "--check", "--check-images", "10000",
       "--set=hardware.weight_sram.bytes=256"});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, AllOf(HasSubstr("0 of 2 runs are finished"), HasSubstr("run \"long\"")));
  EXPECT_TRUE(finished());
}

TEST_F(SimulateProgram, AScenarioMayComeFromTheStandardInput) {
  const std::string out = (prepared_.folder() / "piped").string();
  const std::string command = std::string(ABACUS_PROGRAM) + " simulate - --quiet --cache " +
                              prepared_.cache().string() + " --out " + out + " <" +
                              prepared_.scenario().string();
  // Paths in it are relative to the current folder.
  EXPECT_EQ(std::system(("cd " + prepared_.folder().string() + " && " + command).c_str()), 0);
  EXPECT_EQ(results("piped")["scenario"]["file"], "-");
  ASSERT_EQ(simulate(options()), 0);
  EXPECT_EQ(results("piped")["runs"], results()["runs"]);
  EXPECT_NE(std::system((command + " --set nonsense=1 2>/dev/null").c_str()), 0);
}

TEST_F(SimulateProgram, AnInterruptEndsItCleanly) {
  prepared_.write_scenario("");
  const pid_t process = ::fork();
  ASSERT_GE(process, 0);
  if (process == 0) {
    const std::string out = (prepared_.folder() / "out").string();
    ::execl(ABACUS_PROGRAM, "abacus", "simulate", prepared_.scenario().c_str(), "--out",
            out.c_str(), "--cache", prepared_.cache().c_str(), "--quiet", "--images", "10000",
            "--jobs", "2", "--check", "--check-images", "10000", nullptr);
    ::_exit(127);
  }
  // Once it has processes of its own, it is at work.
  const std::string children =
      "/proc/" + std::to_string(process) + "/task/" + std::to_string(process) + "/children";
  while (test::read_text(children).empty()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ::kill(process, SIGINT);
  int status = 0;
  ASSERT_EQ(::waitpid(process, &status, 0), process);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_FALSE(std::filesystem::exists(results_file()));
}

}  // namespace
}  // namespace abacus::cli
