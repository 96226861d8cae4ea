// Both programs together, from images to a report, as a user runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sw/support/child_process.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class EndToEnd : public ::testing::Test {
 protected:
  std::filesystem::path folder() const { return folder_.path(); }

  int abacus(std::vector<std::string> arguments) const {
    return support::run_program(ABACUS_PROGRAM, arguments, support::ChildOutput::to_stderr);
  }
  int simulate(const std::string& scenario, const std::string& out,
               const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"simulate", (folder() / scenario).string(),
                                       "--out",    (folder() / out).string(),
                                       "--cache",  (folder() / "cache").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return abacus(arguments);
  }
  nlohmann::ordered_json results(const std::string& out) const {
    return nlohmann::ordered_json::parse(test::read_text(folder() / out / "results.json"));
  }
  std::string timeless(const std::string& out) const {
    nlohmann::ordered_json json = results(out);
    json.erase("times");
    json.erase("provenance");
    return json.dump();
  }
  int packages() const {
    int count = 0;
    if (!std::filesystem::exists(folder() / "cache")) return count;
    for (const auto& file : std::filesystem::directory_iterator(folder() / "cache")) {
      count += file.path().extension() == ".safetensors" ? 1 : 0;
    }
    return count;
  }

 private:
  test::TemporaryFolder folder_;
};

TEST_F(EndToEnd, TrainQuantizeSimulateReport) {
  const std::string checkpoint = (folder() / "lenet.safetensors").string();
  ASSERT_EQ(
      support::run_program(ABACUS_TRAIN_PROGRAM,
                           {"train", "--network", "lenet", "--arithmetic", "adder", "--dataset",
                            "fashion-mnist", "--epochs", "1", "--out", checkpoint},
                           support::ChildOutput::to_stderr),
      0);
  test::write_text(folder() / "lenet.toml", R"(
network = "lenet"
arithmetic = "adder"
dataset = "fashion-mnist"
checkpoint = "lenet.safetensors"
images = 500
quantization.options = { calibration_images = 500, bn_images = 500, evaluate = 500 }
[[run]]
name = "8 bit"
[[run]]
name = "4 bit"
quantization = { weight_bits = 4, activation_bits = 4 }
)");
  ASSERT_EQ(simulate("lenet.toml", "one", {"--check", "--jobs", "1"}), 0);
  EXPECT_EQ(packages(), 2);
  const auto runs = results("one")["runs"];
  ASSERT_EQ(runs.size(), 2u);
  for (const auto& run : runs) {
    EXPECT_EQ(run["bit_exact"], true);
    // One epoch of LeNet gets well beyond half of the images right, in every representation, and
    // the hardware computes what the quantizer meant.
    EXPECT_GT(run["float_accuracy_percent"].get<double>(), 60);
    EXPECT_GT(run["accuracy_percent"].get<double>(), 50);
    EXPECT_LE(std::abs(run["accuracy_percent"].get<double>() -
                       run["fake_quantized_accuracy_percent"].get<double>()),
              1.0);
    EXPECT_EQ(run["cycles_of_timed_images"]["lowest"], run["cycles_of_timed_images"]["highest"]);
  }
  EXPECT_LT(runs[1]["energy_per_image_uj"].get<double>(),
            runs[0]["energy_per_image_uj"].get<double>());

  ASSERT_EQ(simulate("lenet.toml", "two", {"--check", "--jobs", "2"}), 0);
  EXPECT_EQ(timeless("one"), timeless("two"));
  EXPECT_EQ(packages(), 2);

  ASSERT_EQ(abacus({"report", (folder() / "one" / "results.json").string()}), 0);
  const std::string page = test::read_text(folder() / "one" / "report.html");
  EXPECT_THAT(page, HasSubstr("4 bit"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'")) << "nothing is loaded";
  EXPECT_THAT(page, Not(HasSubstr("src=\"http")));
}

// Every layer of the shipped networks, both arithmetics, at the demo's widths.
TEST_F(EndToEnd, ShippedCheckpointsAreBitExact) {
  const std::string shipped =
      (std::filesystem::path(ABACUS_SOURCE_FOLDER) / "scenarios" / "checkpoints").string();
  test::write_text(folder() / "shipped.toml", R"(
network = "resnet20"
dataset = "fashion-mnist"
images = 40
quantization.options = { calibration_images = 256, bn_images = 256 }
[[run]]
name = "adder, 4 bit"
arithmetic = "adder"
checkpoint = ")" + shipped + R"(/resnet20-fashion-mnist-adder.safetensors"
quantization = { weight_bits = 4, activation_bits = 4 }
[[run]]
name = "cnn, 8 bit"
arithmetic = "cnn"
checkpoint = ")" + shipped + R"(/resnet20-fashion-mnist-cnn.safetensors"
)");
  ASSERT_EQ(simulate("shipped.toml", "out", {"--check"}), 0);
  for (const auto& run : results("out")["runs"]) {
    EXPECT_EQ(run["bit_exact"], true) << run["name"];
    EXPECT_EQ(run["checked_images"], 10);
    EXPECT_GT(run["accuracy_percent"].get<double>(), 70) << run["name"];
  }
}

// The shipped elements, which are approximate multipliers: torch and hardware agree on every image, and the
// network still knows its clothes.
TEST_F(EndToEnd, ShippedElementsRunTheShippedCheckpoint) {
  const std::filesystem::path scenarios = std::filesystem::path(ABACUS_SOURCE_FOLDER) / "scenarios";
  std::string text =
      "network = \"resnet20\"\ndataset = \"fashion-mnist\"\nimages = 40\n"
      "arithmetic = \"table\"\ncheckpoint = \"" +
      (scenarios / "checkpoints/resnet20-fashion-mnist-cnn.safetensors").string() +
      "\"\nquantization.options = { calibration_images = 256, bn_images = 256, "
      "evaluate = 40 }\n";
  int elements = 0;
  for (const auto& file : std::filesystem::directory_iterator(scenarios / "elements")) {
    if (file.path().extension() != ".toml") continue;
    ++elements;
    text += "[[run]]\nname = \"" + file.path().stem().string() + "\"\nelement = \"" +
            file.path().string() + "\"\n";
  }
  ASSERT_GE(elements, 2);
  test::write_text(folder() / "elements.toml", text);
  ASSERT_EQ(simulate("elements.toml", "out", {"--check"}), 0);
  for (const auto& run : results("out")["runs"]) {
    EXPECT_EQ(run["bit_exact"], true) << run["name"];
    EXPECT_EQ(run["accuracy_percent"], run["fake_quantized_accuracy_percent"]) << run["name"];
    EXPECT_GT(run["accuracy_percent"].get<double>(), 70) << run["name"];
  }
}

TEST_F(EndToEnd, AFailingQuantizerLeavesNoResultsAndNoPackage) {
  test::write_text(
      folder() / "bad.toml",
      R"(
network = "resnet20"
arithmetic = "adder"
dataset = "fashion-mnist"
checkpoint = ")" +
          (std::filesystem::path(ABACUS_SOURCE_FOLDER) / "scenarios" / "checkpoints").string() +
          R"(/resnet20-fashion-mnist-adder.safetensors"
quantization.options.no_such_option = 1
)");
  EXPECT_EQ(simulate("bad.toml", "out", {}), 1);
  EXPECT_FALSE(std::filesystem::exists(folder() / "out" / "results.json"));
  EXPECT_EQ(packages(), 0);
}

}  // namespace
}  // namespace abacus::test
