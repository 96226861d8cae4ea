// What the commands of abacus-train answer with --json.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/support/child_process.hpp"
#include "tests/cli/trainer_fixture.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::cli {
namespace {

using test::Outcome;
using test::run;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

class TrainerJson : public test::PackageCommands {
 protected:
  // The answer, which alone stands on standard output.
  static Json ask(const std::string& command, const std::string& options) {
    std::vector<std::string> arguments = {command};
    std::istringstream words(options + " --json");
    for (std::string word; words >> word;) arguments.push_back(word);
    const support::ProgramOutput output = support::capture_program(ABACUS_TRAIN_PROGRAM, arguments);
    EXPECT_EQ(output.status, 0) << output.err;
    EXPECT_EQ(output.out.find('\n'), output.out.size() - 1) << "one line";
    const Json answer = Json::parse(output.out);
    EXPECT_EQ(answer.at("command"), command);
    EXPECT_EQ(answer.at("schema"), 1);
    return answer;
  }

  // A CSV file's lines; all but the last fields joined by blanks → the last as JSON reads it.
  std::map<std::string, Json> numbers() const {
    std::map<std::string, Json> found;
    std::istringstream text(test::read_text(out()));
    std::string line;
    std::getline(text, line);
    while (std::getline(text, line)) {
      const std::size_t comma = line.rfind(',');
      found[line.substr(0, comma)] = Json::parse(line.substr(comma + 1));
    }
    return found;
  }

  std::string with_checkpoint() const { return " --threads 1 --checkpoint " + file().string(); }
};

// What stands in a CSV line's fields from and to.
std::string text_of(const Json& bin) { return bin[0].dump() + ',' + bin[1].dump(); }

// 1.0 of JSON is 1 of CSV.
std::string plain(std::string text) {
  for (std::size_t at = 0; (at = text.find(".0,", at)) != std::string::npos;) text.erase(at, 2);
  if (text.size() > 2 && text.substr(text.size() - 2) == ".0") text.erase(text.size() - 2);
  return text;
}

TEST_F(TrainerJson, StatisticsAreThoseOfTheCsvFile) {
  const std::string options = "--images 30 --bins 20 --histogram conv2" + with_checkpoint();
  ASSERT_EQ(test::run("statistics " + options + " --out " + out().string()).status, 0);
  const std::map<std::string, Json> lines = numbers();
  const Json answer = ask("statistics", options);
  EXPECT_EQ(answer.at("images"), 30);
  std::size_t told = 0;
  const auto expect = [&](const std::string& line, const Json& value) {
    ASSERT_EQ(lines.count(line), 1U) << line;
    EXPECT_EQ(value.get<double>(), lines.at(line).get<double>()) << line;
    ++told;
  };
  for (const Json& layer : answer.at("layers")) {
    for (const char* name : {"activation", "weight", "weight_relative"}) {
      const Json& tensor = layer.at(name);
      const std::string start = layer.at("layer").get<std::string>() + ',' +
                                layer.at("arithmetic").get<std::string>() + ',' + name + ',';
      if (tensor.contains("maximum")) expect(start + "maximum,,", tensor["maximum"]);
      for (const Json& one : tensor.value("quantiles", Json::array())) {
        expect(start + "quantile," + one.at("share").dump() + ',', one.at("magnitude"));
      }
      const Json maxima = tensor.value("channel_maxima", Json::array());
      for (std::size_t i = 0; i < maxima.size(); ++i) {
        expect(start + "channel_maximum," + std::to_string(i) + ',', maxima[i]);
      }
      for (const Json& bin : tensor.value("histogram", Json::array())) {
        expect(start + "histogram," + plain(text_of(bin)), bin[2]);
      }
    }
  }
  EXPECT_EQ(told, lines.size());
}

TEST_F(TrainerJson, ActivationsAreThoseOfTheCsvFile) {
  make_package();
  const std::string options =
      "--images 7 --histogram conv2 --package " + package() + with_checkpoint();
  ASSERT_EQ(test::run("activations " + options + " --out " + out().string()).status, 0);
  const std::map<std::string, Json> lines = numbers();
  const Json answer = ask("activations", options);
  EXPECT_EQ(answer.at("images"), 7);
  std::size_t told = 0;
  const auto expect = [&](const std::string& line, const Json& value) {
    ASSERT_EQ(lines.count(line), 1U) << line;
    EXPECT_EQ(value.get<double>(), lines.at(line).get<double>()) << line;
    ++told;
  };
  for (const Json& layer : answer.at("layers")) {
    const std::string start = layer.at("layer").get<std::string>() +
                              (layer.at("ends_block").get<bool>() ? ",yes," : ",no,");
    EXPECT_EQ(layer.at("quantizes").get<bool>(), layer.contains("input_error"));
    for (const auto& [quantity, value] : layer.items()) {
      if (value.is_number()) expect(start + quantity + ",value,,", value);
      if (!value.is_object() || quantity == "histograms") continue;
      for (const auto& [statistic, number] : value.items()) {
        expect(start + quantity + ',' + statistic + ",,", number);
      }
    }
    for (const auto& [quantity, bins] : layer.at("histograms").items()) {
      for (const Json& bin : bins) {
        expect(start + quantity + ",histogram," + plain(text_of(bin)), bin[2]);
      }
    }
  }
  EXPECT_EQ(told, lines.size());
}

TEST_F(TrainerJson, ATableGoesToAFileOrIsPrinted) {
  for (const std::string& command :
       {std::string("statistics"), "activations --package " + package()}) {
    Outcome outcome = test::run(command + with_checkpoint());
    EXPECT_NE(outcome.status, 0);
    EXPECT_THAT(outcome.text, HasSubstr("give --out FILE.csv or --json"));
    outcome = test::run(command + with_checkpoint() + " --json --out " + out().string());
    EXPECT_NE(outcome.status, 0);
    EXPECT_THAT(outcome.text, AllOf(HasSubstr("--json"), HasSubstr("--out")));
  }
  EXPECT_THAT(folder_.files(), ElementsAre("c.safetensors"));
}

TEST_F(TrainerJson, QuantizeAndEvaluateTellWhatTheySayInWords) {
  const std::string options =
      "--scheme uniform-ptq --weight-bits 4 --activation-bits 4 --calibration-images 40 "
      "--bn-images 40 --evaluate 20 --compare 10 --out " +
      package() + with_checkpoint();
  const Json made = ask("quantize", options);
  EXPECT_EQ(made.at("package"), package());
  EXPECT_EQ(made.at("scheme"), "uniform-ptq");
  EXPECT_EQ(made.at("weight_bits"), 4);
  EXPECT_EQ(made.at("fake_quantized").at("images"), 20);
  EXPECT_EQ(made.at("fake_quantized").at("split"), "test");
  EXPECT_EQ(made.at("fake_quantized").at("accuracy_percent").get<double>(),
            network::read_package(package()).origin.fake_quantized_accuracy_percent);
  EXPECT_EQ(made.at("compared").at("images"), 10);
  EXPECT_EQ(made.at("compared").at("dataset"), "fashion-mnist");
  Outcome outcome = test::run("quantize --print-recipe --json " + options);
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("--print-recipe"), HasSubstr("--json")));

  const Json evaluated = ask("evaluate", "--images 20 --threads 1 --package " + package());
  EXPECT_EQ(evaluated.at("images"), 20);
  EXPECT_EQ(evaluated.at("dataset"), "fashion-mnist");
  EXPECT_EQ(evaluated.at("split"), "test");
  EXPECT_EQ(evaluated.at("exponents"), "fixed-point");
  char text[40];
  std::snprintf(text, sizeof text, "%.2f %% of 20 images\n",
                evaluated.at("accuracy_percent").get<double>());
  EXPECT_THAT(test::run("evaluate --images 20 --threads 1 --package " + package()).text,
              HasSubstr(text));
  const Json of_checkpoint = ask("evaluate", "--images 20" + with_checkpoint());
  EXPECT_EQ(of_checkpoint.at("checkpoint"), file().string());
  EXPECT_FALSE(of_checkpoint.contains("exponents"));
}

TEST_F(TrainerJson, RecipesHaveTheDefaultsThatPackagesLeaveOut) {
  make_package();
  const Json quantized = ask("recipe", "--package " + package());
  EXPECT_TRUE(quantized.at("training").is_null());
  EXPECT_EQ(quantized.at("plan").at("scheme"), "uniform-ptq");
  EXPECT_EQ(quantized.at("plan").at("weight-bits"), 4);
  const std::string options =
      "--scheme uniform --weight-bits 4 --activation-bits 4 --epochs 1 --train-images 32 "
      "--calibration-images 40 --bn-images 40 --seed 9 --lr 0.01 --activation-quantizer asq "
      "--out " +
      package() + with_checkpoint();
  const Json trained = ask("qat", options);
  EXPECT_EQ(trained.at("scheme"), "lsq-asq-qat");
  EXPECT_GT(trained.at("validation").at("images").get<int>(), 0);
  EXPECT_TRUE(trained.at("test").is_null());
  const Json recipe = ask("recipe", "--package " + package());
  const Json& training = recipe.at("training");
  EXPECT_EQ(training.at("lr"), 0.01);
  EXPECT_EQ(training.at("epochs"), 1);
  EXPECT_EQ(training.at("train-images"), 32);
  EXPECT_EQ(training.at("optimizer"), "sgd");
  EXPECT_EQ(training.at("adder-gradient"), "addernet");
  EXPECT_EQ(training.at("precision"), "float32");
  EXPECT_EQ(training.at("adapter-start"), "one");
  EXPECT_EQ(training.at("post-levels"), 0);
  EXPECT_EQ(recipe.at("plan").at("seed"), 9);
  EXPECT_TRUE(recipe.at("plan").at("fraction-bits").is_null());
  EXPECT_THAT(test::run("recipe --package " + package()).text,
              AllOf(HasSubstr("adapter-start          one"), HasSubstr("lr ")));
  const Outcome outcome = test::run("recipe --package " + file().string());
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.text, HasSubstr("integer network package"));
}

TEST_F(TrainerJson, LevelsOfThreeBits) {
  const Json answer = ask("levels", "--bits 3");
  EXPECT_EQ(answer.at("bits"), 3);
  EXPECT_EQ(answer.at("exponent_quantile"), 0.99);
  std::map<std::string, std::vector<double>> sets;
  for (const Json& set : answer.at("level_sets")) {
    sets[set.at("name").get<std::string>()] = set.at("levels").get<std::vector<double>>();
  }
  EXPECT_THAT(sets.at("pot"), ElementsAre(-1, -0.5, -0.25, 0, 0.25, 0.5, 1));
  EXPECT_THAT(sets.at("lsq"),
              ElementsAre(-4 / 3.0, -1, -2 / 3.0, -1 / 3.0, 0, 1 / 3.0, 2 / 3.0, 1));
  for (const char* name : {"uniform", "zero-free", "apot", "post"}) {
    EXPECT_EQ(sets.count(name), 1U) << name;
  }
  EXPECT_THAT(test::run("levels --bits 3").text, HasSubstr("pot: -1 -0.5 -0.25 0 0.25 0.5 1\n"));
  const Outcome outcome = test::run("levels --bits 9");
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("--bits"), HasSubstr("9"), HasSubstr("8")));
}

TEST_F(TrainerJson, AFinishedTrainingTellsItsAccuracy) {
  network::Checkpoint finished = checkpoint_;
  finished.command = "abacus-train train --epochs 3";
  finished.float_accuracy_percent = 71.5;
  network::save_checkpoint(file(), finished);
  const Json answer = ask("train", "--epochs 3 --resume --out " + file().string());
  EXPECT_EQ(answer.at("checkpoint"), file().string());
  EXPECT_EQ(answer.at("already_finished"), true);
  EXPECT_EQ(answer.at("float_accuracy_percent"), 71.5);
}

}  // namespace
}  // namespace abacus::cli
