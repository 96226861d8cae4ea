// Commands of abacus-train as processes: statistics, quantize --print-recipe, train --resume, qat's
// record, activations, evaluate --package.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/network/safetensors.hpp"
#include "tests/cli/trainer_fixture.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::cli {
namespace {

using test::Outcome;
using test::PackageCommands;
using test::run;
using test::TrainerCommands;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Line {
  std::string layer, arithmetic, tensor, statistic, from, to;
  double value = 0;
};

std::vector<Line> read_lines(const std::filesystem::path& file) {
  std::istringstream text(test::read_text(file));
  std::string line;
  std::getline(text, line);
  EXPECT_EQ(line, "layer,arithmetic,tensor,statistic,from,to,value");
  std::vector<Line> lines;
  while (std::getline(text, line)) {
    std::istringstream fields(line);
    Line read;
    std::string value;
    for (std::string* field : {&read.layer, &read.arithmetic, &read.tensor, &read.statistic,
                               &read.from, &read.to, &value}) {
      std::getline(fields, *field, ',');
    }
    read.value = std::stod(value);
    lines.push_back(read);
  }
  return lines;
}

TEST_F(TrainerCommands, StatisticsTellRangesAndHistogramsOfEveryConvolution) {
  const Outcome outcome = test::run(
      "statistics --threads 1 --images 60 --bins 50 --histogram all "
      "--checkpoint " +
      file().string() + " --out " + out().string());
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  const std::vector<Line> lines = read_lines(out());
  for (const network::Layer& layer : checkpoint_.network.layers) {
    if (!layer.is<network::Convolution>()) continue;
    const std::vector<float> weights =
        checkpoint_.tensors.at(layer.name + ".weight").values<float>();
    const std::size_t channel_size =
        weights.size() / static_cast<std::size_t>(layer.output.channels);
    std::map<std::string, double> counts;
    std::map<std::string, double> quantiles;
    std::map<std::string, double> maxima;
    int channels = 0;
    for (const Line& line : lines) {
      if (line.layer != layer.name) continue;
      EXPECT_EQ(line.arithmetic, network::to_string(layer.convolution().arithmetic));
      if (line.statistic == "histogram") counts[line.tensor] += line.value;
      if (line.statistic == "maximum") maxima[line.tensor] = line.value;
      if (line.statistic == "quantile") {
        EXPECT_GE(line.value, quantiles[line.tensor]);  // they come with rising shares
        quantiles[line.tensor] = line.value;
      }
      if (line.statistic == "channel_maximum") {
        const auto first = weights.begin() + channels * static_cast<std::ptrdiff_t>(channel_size);
        float expected = 0;
        for (auto w = first; w != first + static_cast<std::ptrdiff_t>(channel_size); ++w) {
          expected = std::max(expected, std::abs(*w));
        }
        EXPECT_EQ(line.from, std::to_string(channels));
        EXPECT_NEAR(line.value, static_cast<double>(expected), 1e-6);
        ++channels;
      }
    }
    EXPECT_EQ(channels, layer.output.channels);
    EXPECT_EQ(counts["weight"], static_cast<double>(weights.size()));
    EXPECT_EQ(counts["weight_relative"], static_cast<double>(weights.size()));
    EXPECT_EQ(counts["activation"], 60.0 * static_cast<double>(layer.input.elements()));
    EXPECT_LE(quantiles["activation"], maxima["activation"]);
  }
  // The first layer sees the images, whose brightest pixels are white.
  const network::Normalization& normalization = checkpoint_.normalization;
  EXPECT_NEAR(lines.front().value,
              static_cast<double>((1 - normalization.mean[0]) / normalization.deviation[0]), 1e-5);
}

TEST_F(TrainerCommands, SchemesPrintsTheirTables) {
  const Outcome outcome = test::run("schemes");
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  for (const char* row : {"| `adderquant-ptq` | adder networks |", "| `--groups` | 1 to 64 |",
                          "| `--weight-quantizer` | lsq, pact, "}) {
    EXPECT_THAT(outcome.text, HasSubstr(row));
  }
}

TEST_F(TrainerCommands, StatisticsRefuseAnUnknownLayerAndLeaveNothing) {
  const Outcome outcome = test::run("statistics --histogram layer9 --checkpoint " +
                                    file().string() + " --out " + out().string());
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("--histogram: found layer9"), HasSubstr("conv1")));
  EXPECT_THAT(folder_.files(), ElementsAre("c.safetensors"));
}

TEST_F(TrainerCommands, PrintRecipeTellsAllOptionsInOneLineAndMakesNothing) {
  const std::string command =
      "quantize --scheme adderquant-ptq --weight-bits 4 --activation-bits 4 "
      "--print-recipe --checkpoint " +
      file().string();
  const Outcome outcome = test::run(command);
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_EQ(std::count(outcome.text.begin(), outcome.text.end(), '\n'), 1);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("adderquant-ptq"), HasSubstr("0.998")));
  EXPECT_NE(test::run(command + " --alpha 0.5").text, outcome.text);
  EXPECT_EQ(test::run(command + " --alpha 0.998").text, outcome.text);  // the default at 4 bits
  EXPECT_THAT(folder_.files(), ElementsAre("c.safetensors"));
}

TEST_F(TrainerCommands, QuantizeWithoutOutIsRefused) {
  const Outcome outcome = test::run(
      "quantize --scheme adderquant-ptq --weight-bits 4 --activation-bits 4 "
      "--checkpoint " +
      file().string());
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.text, HasSubstr("--out"));
}

TEST_F(TrainerCommands, ResumingAFinishedTrainingSaysSoAndDoesNothing) {
  checkpoint_.command = "abacus-train train --epochs 3";
  network::save_checkpoint(file(), checkpoint_);
  const std::string before = test::read_text(file());
  const Outcome same = test::run("train --epochs 3 --resume --out " + file().string());
  EXPECT_EQ(same.status, 0) << same.text;
  EXPECT_THAT(same.text, HasSubstr("finished already"));
  const Outcome other = test::run("train --epochs 4 --resume --out " + file().string());
  EXPECT_NE(other.status, 0);
  EXPECT_THAT(other.text, AllOf(HasSubstr("--epochs 3"), HasSubstr("--epochs 4")));
  EXPECT_EQ(test::read_text(file()), before);
  EXPECT_THAT(folder_.files(), ElementsAre("c.safetensors"));
}

TEST_F(PackageCommands, ActivationsTellEveryLayersErrors) {
  make_package();
  const Outcome outcome =
      test::run("activations --images 7 --threads 1 --histogram conv2 --checkpoint " +
                file().string() + " --package " + package() + " --out " + out().string());
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  std::istringstream text(test::read_text(out()));
  std::string line;
  std::getline(text, line);
  EXPECT_EQ(line, "layer,ends_block,quantity,statistic,from,to,value");
  std::map<std::string, double> counts;
  std::map<std::string, int> means;
  while (std::getline(text, line)) {
    std::vector<std::string> fields;
    std::istringstream parts(line);
    for (std::string field; std::getline(parts, field, ',');) fields.push_back(field);
    ASSERT_EQ(fields.size(), 7U) << line;
    if (fields[3] == "histogram") counts[fields[0] + " " + fields[2]] += std::stod(fields[6]);
    if (fields[3] == "mean") ++means[fields[2]];
  }
  const network::IntegerNetwork made = network::read_package(package());
  EXPECT_EQ(means["output_error"], static_cast<int>(made.layers.size()));
  for (const char* quantity :
       {"levels_used", "common_step_error", "own_step_error", "own_step_factor"}) {
    EXPECT_EQ(means[quantity], means["input_error"]) << quantity;
  }
  const auto conv2 =
      std::find_if(made.layers.begin(), made.layers.end(),
                   [](const network::IntegerLayer& layer) { return layer.name == "conv2"; });
  ASSERT_NE(conv2, made.layers.end());
  const double elements = 7.0 * static_cast<double>(made.tensor(conv2->input).shape.elements());
  EXPECT_EQ(counts["conv2 level"], elements);
  EXPECT_EQ(counts["conv2 stored"], elements);
  EXPECT_EQ(counts["conv2 quantized"], elements);
  EXPECT_EQ(counts.count("conv3 stored"), 0U);  // not asked for
}

TEST_F(PackageCommands, ActivationsRefuseWhatDoesNotBelongTogether) {
  make_package();
  const std::string start = "activations --images 3 --out " + out().string();
  const std::string with_package = " --package " + package();
  Outcome outcome =
      test::run(start + with_package + " --histogram layer9 --checkpoint " + file().string());
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("--histogram: found layer9"), HasSubstr("conv2")));
  outcome = test::run(start + with_package + " --split test --checkpoint " + file().string());
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("--split"), HasSubstr("validation")));
  outcome = test::run(start + " --package " + file().string() + " --checkpoint " + file().string());
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.text, HasSubstr("integer network package"));
  const std::string other = (folder_.path() / "other.safetensors").string();
  make_ordinary({3, 32, 32}, "cifar10", other);
  outcome = test::run(start + with_package + " --checkpoint " + other);
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.text,
              AllOf(HasSubstr("lenet for fashion-mnist"), HasSubstr("lenet for cifar10")));
  EXPECT_THAT(folder_.files(), ElementsAre("c.safetensors", "other.safetensors", "p.safetensors"));
}

TEST_F(PackageCommands, EvaluateTakesACheckpointOrAPackage) {
  make_package();
  const std::string of_package = "evaluate --images 20 --threads 1 --package " + package();
  const Outcome fixed = test::run(of_package);
  ASSERT_EQ(fixed.status, 0) << fixed.text;
  EXPECT_THAT(fixed.text, HasSubstr("% of 20 images"));
  // No layer of it has exponent weights.
  EXPECT_EQ(test::run(of_package + " --exponents exact").text, fixed.text);
  Outcome outcome = test::run("evaluate");
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.text, HasSubstr("either --checkpoint or --package"));
  outcome = test::run(of_package + " --checkpoint " + file().string());
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.text, HasSubstr("either --checkpoint or --package"));
  outcome = test::run("evaluate --exponents exact --checkpoint " + file().string());
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.text, HasSubstr("--exponents exact"));
  outcome = test::run("evaluate --exponents rounded --package " + package());
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("rounded"), HasSubstr("fixed-point")));
}

TEST_F(PackageCommands, QatRecordsItsOptionsInThePackage) {
  const std::string qat =
      "qat --scheme uniform --weight-bits 4 --activation-bits 4 --epochs 1 "
      "--train-images 32 --calibration-images 40 --bn-images 40 --threads 1 --seed 9 "
      "--checkpoint " +
      file().string() + " --out " + package();
  Outcome outcome = test::run(qat + " --activation-quantizer asq --adapter-start fitted");
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("before the fit"));
  EXPECT_THAT(network::read_safetensors(package()).metadata.at("recipe"),
              HasSubstr(" adapter-start=fitted "));
  outcome = test::run(qat);
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  const std::string recipe = network::read_safetensors(package()).metadata.at("recipe");
  EXPECT_THAT(recipe, AllOf(HasSubstr(" seed=9 "), HasSubstr(" epochs=1 ")));
  EXPECT_EQ(network::read_package(package()).origin.recipe_sha256, network::sha256_text(recipe));
  EXPECT_LT(network::read_package(package()).origin.fake_quantized_accuracy_percent, 0)
      << "not asked for";
  outcome = test::run(qat + " --evaluate 20");
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr(" % of 20 test images"));
  EXPECT_GE(network::read_package(package()).origin.fake_quantized_accuracy_percent, 0);
}

}  // namespace
}  // namespace abacus::cli
