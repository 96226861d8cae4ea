// `abacus-train quantize` as a process: exit codes, messages, and what it leaves behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/network/element_file.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/network/safetensors.hpp"
#include "tests/network/element_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/trainer_process.hpp"
#include "tests/tlm/random_element.hpp"

namespace abacus::cli {
namespace {

using test::FashionImages;
using test::run_trainer;
using test::TrainerOutcome;
using test::write_fashion_mnist;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

network::Checkpoint lenet(network::Arithmetic arithmetic) {
  network::Checkpoint checkpoint;
  checkpoint.network = network::make_network("lenet", arithmetic, {1, 28, 28}, 10);
  checkpoint.dataset = "fashion-mnist";
  checkpoint.normalization = network::dataset_normalization("fashion-mnist");
  checkpoint.float_accuracy_percent = 12.5;
  checkpoint.command = "abacus-train train --crop-padding 2";
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (const network::ParameterShape& parameter : network::parameter_shapes(checkpoint.network)) {
    std::size_t count = 1;
    for (const std::int64_t size : parameter.shape) count *= static_cast<std::size_t>(size);
    std::vector<float> values(count, 1.0F);
    // About what the layers' sums are, so that something passes the ReLUs.
    const bool mean = parameter.name.find("running_mean") != std::string::npos;
    const bool adder_sums =
        arithmetic == network::Arithmetic::adder && parameter.name != "bn1.running_mean";
    if (mean)
      values.assign(count, adder_sums && parameter.name != "bn4.running_mean" ? -300.0F : 0.0F);
    if (parameter.name.find("running_var") != std::string::npos) values.assign(count, 1000.0F);
    if (parameter.shape.size() > 1) {
      for (float& value : values) value = normal(random);
    }
    checkpoint.tensors[parameter.name] = network::Tensor::from(values, parameter.shape);
  }
  return checkpoint;
}

class QuantizeCommand : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }

  // The options that every call needs, and `more`.
  std::vector<std::string> arguments(const std::string& scheme,
                                     const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"quantize",
                                    "--checkpoint",
                                    file("a.safetensors"),
                                    "--scheme",
                                    scheme,
                                    "--weight-bits",
                                    "4",
                                    "--activation-bits",
                                    "4",
                                    "--threads",
                                    "1",
                                    "--out",
                                    file("out.safetensors")};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  std::vector<std::string> training(const std::string& checkpoint, const std::string& scheme,
                                    const std::vector<std::string>& more,
                                    const std::string& weight_bits = "4") const {
    std::vector<std::string> all = {"qat",
                                    "--checkpoint",
                                    file(checkpoint),
                                    "--scheme",
                                    scheme,
                                    "--weight-bits",
                                    weight_bits,
                                    "--activation-bits",
                                    "4",
                                    "--epochs",
                                    "1",
                                    "--out",
                                    file("out.safetensors")};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  void expect_refused(const std::vector<std::string>& arguments_given,
                      const ::testing::Matcher<std::string>& message) const {
    const TrainerOutcome outcome = test::run_trainer(arguments_given);
    EXPECT_NE(outcome.exit_code, 0);
    EXPECT_THAT(outcome.text, message);
    EXPECT_FALSE(std::filesystem::exists(file("out.safetensors")));
  }

  test::TemporaryFolder folder_;
};

// The processors that this process, and what it starts, may run on.
class OneProcessor {
 public:
  OneProcessor() {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
      if (CPU_ISSET(i, &before_)) {
        CPU_SET(i, &one);
        break;
      }
    }
    sched_setaffinity(0, sizeof one, &one);
  }
  ~OneProcessor() { sched_setaffinity(0, sizeof before_, &before_); }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

 private:
  cpu_set_t before_;
};

TEST_F(QuantizeCommand, TheNumberOfProcessorsChangesNoByte) {
  test::TemporaryFolder data;
  test::write_fashion_mnist(data.path(), FashionImages::noise);
  network::save_checkpoint(file("a.safetensors"), lenet(network::Arithmetic::adder));
  std::vector<std::string> quantize =
      arguments("best-ptq", {"--calibration-images", "60", "--bn-images", "60", "--iterations", "3",
                             "--reconstruction-images", "100", "--data", data.path()});
  quantize.erase(std::find(quantize.begin(), quantize.end(), "--threads"));
  quantize.erase(std::find(quantize.begin(), quantize.end(), "1"));
  const std::vector<std::string> qat =
      training("a.safetensors", "adderquant",
               {"--train-images", "128", "--calibration-images", "60", "--bn-images", "60",
                "--batch", "50", "--data", data.path()});
  for (const std::vector<std::string>& command : {quantize, qat}) {
    const TrainerOutcome all = test::run_trainer(command);
    ASSERT_EQ(all.exit_code, 0) << all.text;
    const std::string bytes = test::read_text(file("out.safetensors"));
    std::filesystem::remove(file("out.safetensors"));
    {
      const OneProcessor one;
      ASSERT_EQ(test::run_trainer(command).exit_code, 0);
    }
    EXPECT_TRUE(test::read_text(file("out.safetensors")) == bytes) << command.front();
    std::filesystem::remove(file("out.safetensors"));
  }
}

TEST_F(QuantizeCommand, TheRecipeNamesThreadsAndInstructionSet) {
  network::save_checkpoint(file("a.safetensors"), lenet(network::Arithmetic::adder));
  const std::vector<std::string> ask = {"quantize",
                                        "--checkpoint",
                                        file("a.safetensors"),
                                        "--scheme",
                                        "adderquant-ptq",
                                        "--weight-bits",
                                        "4",
                                        "--activation-bits",
                                        "4",
                                        "--print-recipe"};
  EXPECT_THAT(test::run_trainer(ask).text, HasSubstr(" threads=2 kernels="));
  std::vector<std::string> more = ask;
  more.insert(more.end(), {"--threads", "3"});
  EXPECT_THAT(test::run_trainer(more).text, HasSubstr(" threads=3 kernels="));
}

TEST_F(QuantizeCommand, WritesAPackageTwiceTheSame) {
  test::TemporaryFolder data;
  test::write_fashion_mnist(data.path(), FashionImages::noise);
  network::save_checkpoint(file("a.safetensors"), lenet(network::Arithmetic::adder));
  const std::vector<std::string> common = {
      "--calibration-images", "40",     "--bn-images", "40", "--data", data.path(),
      "--recipe-hash",        "abc123", "--evaluate",  "30"};
  const TrainerOutcome first = test::run_trainer(arguments("adderquant-ptq", common));
  ASSERT_EQ(first.exit_code, 0) << first.text;
  const network::IntegerNetwork network = network::read_package(file("out.safetensors"));
  EXPECT_EQ(network.origin.network, "lenet");
  EXPECT_EQ(network.origin.arithmetic, network::Arithmetic::adder);
  EXPECT_EQ(network.origin.dataset, "fashion-mnist");
  EXPECT_EQ(network.origin.scheme, "adderquant-ptq");
  EXPECT_EQ(network.origin.checkpoint_sha256, network::sha256_file(file("a.safetensors")));
  EXPECT_EQ(network.origin.recipe_sha256, "abc123");
  EXPECT_EQ(network.origin.float_accuracy_percent, 12.5);
  EXPECT_GE(network.origin.fake_quantized_accuracy_percent, 0);
  const std::string bytes = test::read_text(file("out.safetensors"));
  ASSERT_EQ(test::run_trainer(arguments("adderquant-ptq", common)).exit_code, 0);
  EXPECT_EQ(test::read_text(file("out.safetensors")), bytes);
  EXPECT_THAT(folder_.files(), ElementsAre("a.safetensors", "out.safetensors"));
}

TEST_F(QuantizeCommand, QuantizesForADescribedElementAndRecordsItsTable) {
  test::TemporaryFolder data;
  test::write_fashion_mnist(data.path(), FashionImages::noise);
  network::save_checkpoint(file("a.safetensors"), lenet(network::Arithmetic::cnn));
  const hw::ElementTable element = test::product_element({5, true, 6, false});
  test::write_element(file("e.toml"), element);
  const auto quantize = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = {"quantize", "--checkpoint", file("a.safetensors"),  "--scheme",
                                    "table",    "--out",        file("out.safetensors")};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const TrainerOutcome made =
      test::run_trainer(quantize({"--element", file("e.toml"), "--calibration-images", "40",
                                  "--bn-images", "40", "--data", data.path()}));
  ASSERT_EQ(made.exit_code, 0) << made.text;
  const network::IntegerNetwork network = network::read_package(file("out.safetensors"));
  EXPECT_EQ(network.origin.arithmetic, network::Arithmetic::table);
  EXPECT_EQ(network.origin.weight_bits, 5);
  EXPECT_EQ(network.origin.activation_bits, 6);
  ASSERT_TRUE(network.element.has_value());
  EXPECT_TRUE(network.element->same_element(element));
  const auto recipe = [&] {
    const TrainerOutcome outcome =
        test::run_trainer(quantize({"--element", file("e.toml"), "--print-recipe"}));
    EXPECT_EQ(outcome.exit_code, 0);
    return outcome.text;
  };
  // What it computes makes the recipe, not where it is.
  EXPECT_THAT(recipe(), HasSubstr("element=" + network::hash_of(element)));
  std::filesystem::remove(file("out.safetensors"));

  expect_refused(quantize({}), HasSubstr("--element is required"));
  expect_refused(quantize({"--element", file("none.toml")}), HasSubstr("none.toml"));
  expect_refused(quantize({"--element", file("e.toml"), "--weight-bits", "4"}),
                 HasSubstr("--weight-bits is 4; allowed with element element of a test: 5"));
  expect_refused(
      arguments("uniform-ptq", {"--element", file("e.toml")}),
      AllOf(HasSubstr("scheme uniform-ptq does not take --element"), HasSubstr("taken by table")));
  hw::ElementTable distances = test::difference_element({5, true, 5, false});
  test::write_element(file("e.toml"), distances);
  expect_refused(quantize({"--element", file("e.toml")}),
                 HasSubstr("arithmetic is cnn; scheme table is for adder"));
  distances.taps.pop_back();
  distances.taps.push_back(99);
  test::write_element(file("e.toml"), distances);
  expect_refused(quantize({"--element", file("e.toml")}), HasSubstr("e.csv:32:"));
}

TEST_F(QuantizeCommand, RefusesUnknownSchemesAndWidths) {
  network::save_checkpoint(file("a.safetensors"), lenet(network::Arithmetic::adder));
  expect_refused(arguments("qssf"),
                 AllOf(HasSubstr("qssf"), HasSubstr("adderquant-ptq"), HasSubstr("uniform-ptq")));
  expect_refused(arguments("adderquant-ptq", {"--storage-bits", "17"}),
                 AllOf(HasSubstr("storage-bits"), HasSubstr("17")));
  expect_refused({"quantize", "--checkpoint", file("a.safetensors"), "--scheme", "adderquant-ptq",
                  "--weight-bits", "9", "--activation-bits", "4", "--out", file("out.safetensors")},
                 AllOf(HasSubstr("weight-bits"), HasSubstr("9")));
  expect_refused(arguments("adderquant-ptq", {"--groups", "0"}), HasSubstr("groups"));
  expect_refused(arguments("adderquant-ptq", {"--alpha", "2"}), HasSubstr("alpha"));
}

TEST_F(QuantizeCommand, RefusesUnknownChoicesAndOptionsOfOtherSchemes) {
  network::save_checkpoint(file("a.safetensors"), lenet(network::Arithmetic::adder));
  for (const std::string option : {"bn", "group-method", "activation-range", "operand-grid",
                                   "range-search", "weight-rounding"}) {
    expect_refused(arguments("adderquant-ptq", {"--" + option, "nonsense"}),
                   AllOf(HasSubstr(option), HasSubstr("nonsense")));
  }
  expect_refused(arguments("adderquant-ptq", {"--shared-scale", "weights"}),
                 AllOf(HasSubstr("--shared-scale"), HasSubstr("qssf-ptq")));
  expect_refused(arguments("qssf-ptq", {"--groups", "4"}),
                 AllOf(HasSubstr("groups"), HasSubstr("adderquant-ptq")));
  expect_refused(arguments("uniform-ptq", {"--fraction-bits", "6"}),
                 AllOf(HasSubstr("fraction-bits"), HasSubstr("uniform-ptq"), HasSubstr("shift")));
}

TEST_F(QuantizeCommand, RefusesASchemeForTheOtherKindOfNetwork) {
  network::save_checkpoint(file("a.safetensors"), lenet(network::Arithmetic::adder));
  expect_refused(arguments("uniform-ptq"),
                 AllOf(HasSubstr(file("a.safetensors")), HasSubstr("uniform-ptq"),
                       HasSubstr("adder"), HasSubstr("cnn")));
  network::save_checkpoint(file("a.safetensors"), lenet(network::Arithmetic::cnn));
  expect_refused(arguments("adderquant-ptq"),
                 AllOf(HasSubstr(file("a.safetensors")), HasSubstr("adderquant-ptq"),
                       HasSubstr("adder"), HasSubstr("cnn")));
}

TEST_F(QuantizeCommand, RefusesQuantizersThatDoNotApply) {
  network::save_checkpoint(file("a.safetensors"), lenet(network::Arithmetic::cnn));
  const auto qat = [&](const std::string& scheme, const std::vector<std::string>& more) {
    return training("a.safetensors", scheme, more, "7");
  };
  expect_refused(qat("uniform", {"--weight-quantizer", "minmax"}),
                 AllOf(HasSubstr("minmax"), HasSubstr("lqnet")));
  expect_refused(qat("uniform", {"--activation-quantizer", "relu"}),
                 AllOf(HasSubstr("relu"), HasSubstr("asq")));
  expect_refused(qat("uniform", {"--weight-quantizer", "apot"}),
                 AllOf(HasSubstr("apot"), HasSubstr("7"), HasSubstr("2 to 6")));
  expect_refused(qat("uniform", {"--post-levels", "5"}), HasSubstr("--weight-quantizer post"));
  expect_refused(qat("uniform", {"--weight-quantizer", "pot", "--post-levels", "5"}),
                 AllOf(HasSubstr("--post-levels given with quantizers pot-lsq"),
                       HasSubstr("--weight-quantizer post")));
  expect_refused(qat("adderquant", {"--weight-quantizer", "lsq"}),
                 AllOf(HasSubstr("adderquant"), HasSubstr("scheme uniform")));
  for (const std::string quantizer : {"lsq", "pact"}) {  // 4 bits of 4
    expect_refused(
        qat("uniform", {"--activation-quantizer", quantizer, "--storage-bits", "4"}),
        AllOf(HasSubstr("--activation-quantizer " + quantizer + ": found with 4 activation bits"),
              HasSubstr("allowed: fewer --activation-bits, more --storage-bits, or asq")));
  }
}

TEST_F(QuantizeCommand, RefusesTrainingOptionsThatWouldDoNothing) {
  network::save_checkpoint(file("a.safetensors"), lenet(network::Arithmetic::cnn));
  const auto refuses = [&](const std::vector<std::string>& more, const std::string& found) {
    expect_refused(training("a.safetensors", "uniform", more), HasSubstr(found));
  };
  refuses({"--teacher", file("a.safetensors")}, "--teacher: given without --distill");
  refuses({"--temperature", "2"}, "--temperature: given without --distill");
  refuses({"--range-rate", "2"}, "--range-rate: given without --learn-ranges");
  refuses({"--adapter-rate", "2"}, "--adapter-rate: given without --activation-quantizer asq");
  refuses({"--activation-quantizer", "lsq", "--adapter-rate", "2"}, "--adapter-rate: given");
  refuses(
      {"--weight-quantizer", "post", "--adapter-start", "fitted"},
      "--adapter-start given with quantizers post-lsq; allowed with --activation-quantizer asq");
  refuses({"--activation-quantizer", "asq", "--adapter-start", "zero"},
          "--adapter-start is zero; allowed: one, fitted");
  refuses({"--step-start", "mse"},
          "--step-start given without quantizers that learn; allowed with --weight-quantizer lsq");
  refuses({"--weight-quantizer", "post", "--activation-quantizer", "pact", "--step-start", "mse"},
          "--step-start given with quantizers post-pact; allowed with --weight-quantizer lsq");
  refuses({"--adder-rate", "0.1"}, "--adder-rate: given with --scheme uniform");
  refuses({"--optimizer", "adam", "--nesterov"}, "--nesterov: given with --optimizer adam");
  refuses({"--fraction-bits", "6"}, "--fraction-bits given without quantizers that learn");
  refuses({"--weight-quantizer", "post", "--fraction-bits", "9"}, "--fraction-bits is 9");
}

// At fewer bits from the parameters of a training: both packages are of the network that it began as.
TEST_F(QuantizeCommand, TrainingInStepsKeepsTheFirstCheckpoint) {
  test::TemporaryFolder data;
  test::write_fashion_mnist(data.path(), FashionImages::noise);
  network::save_checkpoint(file("a.safetensors"), lenet(network::Arithmetic::adder));
  std::vector<std::string> recipes;
  for (const std::string bits : {"4", "3", "3"}) {
    const std::string from = recipes.size() == 1 ? "4-float" : "a";
    const TrainerOutcome outcome = test::run_trainer({"qat",
                                                      "--checkpoint",
                                                      file(from + ".safetensors"),
                                                      "--scheme",
                                                      "nonnegative",
                                                      "--weight-bits",
                                                      bits,
                                                      "--activation-bits",
                                                      bits,
                                                      "--epochs",
                                                      "1",
                                                      "--calibration-images",
                                                      "40",
                                                      "--bn-images",
                                                      "40",
                                                      "--train-images",
                                                      "64",
                                                      "--threads",
                                                      "1",
                                                      "--data",
                                                      data.path(),
                                                      "--out-checkpoint",
                                                      file(bits + "-float.safetensors"),
                                                      "--out",
                                                      file(bits + ".safetensors")});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.text;
    const network::PackageOrigin origin = network::read_package(file(bits + ".safetensors")).origin;
    EXPECT_EQ(origin.checkpoint_sha256, network::sha256_file(file("a.safetensors")));
    EXPECT_EQ(origin.float_accuracy_percent, 12.5);
    recipes.push_back(origin.recipe_sha256);
    const network::Checkpoint trained = network::load_checkpoint(file(bits + "-float.safetensors"));
    EXPECT_EQ(trained.float_accuracy_percent, -1);
    EXPECT_EQ(trained.float_origin_sha256, origin.checkpoint_sha256);
  }
  EXPECT_NE(recipes[1], recipes[2]);  // where it went on from is part of it
}

// By every command that reads a checkpoint to make a package.
TEST_F(QuantizeCommand, NamesTheTensorThatIsWrong) {
  network::save_checkpoint(file("good.safetensors"), lenet(network::Arithmetic::adder));
  const network::TensorFile good = network::read_safetensors(file("good.safetensors"));
  const auto qat = [&](const std::string& checkpoint, const std::string& teacher) {
    return training(checkpoint, "adderquant", {"--teacher", file(teacher), "--distill", "0.5"});
  };
  const auto expect_named = [&](const std::string& words) {
    const auto message = AllOf(HasSubstr(file("a.safetensors")), HasSubstr(words));
    expect_refused(arguments("adderquant-ptq"), message);
    expect_refused(qat("a.safetensors", "good.safetensors"), message);
    expect_refused(qat("good.safetensors", "a.safetensors"), message);
  };

  network::TensorFile bad = good;
  bad.tensors.erase("bn2.running_var");
  network::write_safetensors(file("a.safetensors"), bad);
  expect_named("bn2.running_var");

  bad = good;
  bad.tensors["surplus"] = network::Tensor::from(std::vector<float>{1}, {1});
  network::write_safetensors(file("a.safetensors"), bad);
  expect_named("surplus");

  bad = good;
  bad.tensors["bn1.bias"] = network::Tensor::from(std::vector<float>(7), {7});
  network::write_safetensors(file("a.safetensors"), bad);
  expect_named("bn1.bias");

  bad = good;
  std::vector<float> values = bad.tensors.at("conv2.weight").values<float>();
  values[5] = std::numeric_limits<float>::quiet_NaN();
  bad.tensors["conv2.weight"] = network::Tensor::from(values, bad.tensors.at("conv2.weight").shape);
  network::write_safetensors(file("a.safetensors"), bad);
  expect_named("conv2.weight");

  const std::string bytes = test::read_text(file("good.safetensors"));
  test::write_text(file("a.safetensors"), bytes.substr(0, bytes.size() - 4));
  expect_named("the file ends at");
}

TEST_F(QuantizeCommand, NamesAMissingDataSet) {
  network::save_checkpoint(file("a.safetensors"), lenet(network::Arithmetic::adder));
  expect_refused(arguments("adderquant-ptq", {"--data", file("absent")}),
                 HasSubstr(file("absent")));
}

TEST_F(QuantizeCommand, LeavesAnOlderPackageWhenItFails) {
  network::save_checkpoint(file("a.safetensors"), lenet(network::Arithmetic::adder));
  test::write_text(file("out.safetensors"), "older");
  EXPECT_NE(test::run_trainer(arguments("adderquant-ptq", {"--data", file("absent")})).exit_code,
            0);
  EXPECT_EQ(test::read_text(file("out.safetensors")), "older");
}

}  // namespace
}  // namespace abacus::cli
