// abacus-train as a process: exit codes, messages, and what it leaves behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/trainer_process.hpp"

namespace abacus::cli {
namespace {

using test::read_text;
using test::run_trainer;
using test::TemporaryFolder;
using test::TrainerOutcome;
using test::write_fashion_mnist;
using test::write_text;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AbacusTrain : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }

  TemporaryFolder folder_;
};

TEST_F(AbacusTrain, SavesItsStateWhenAskedToStop) {
  TemporaryFolder data;
  test::write_fashion_mnist(data.path(), test::FashionImages::black);
  const std::vector<std::string> arguments = {"train",
                                              "--network",
                                              "lenet",
                                              "--epochs",
                                              "1000",
                                              "--batch",
                                              "64",
                                              "--data",
                                              data.path(),
                                              "--out",
                                              file("a.safetensors"),
                                              "--threads",
                                              "1"};
  for (const int signal : {SIGTERM, SIGINT}) {
    const TrainerOutcome outcome = test::run_trainer(arguments, signal);
    EXPECT_EQ(outcome.exit_code, 130) << outcome.text;
    EXPECT_THAT(outcome.text, AllOf(HasSubstr("a.state"), HasSubstr("--resume")));
    EXPECT_THAT(folder_.files(), ElementsAre("a.state"));
    std::filesystem::remove(file("a.state"));
  }
}

TEST_F(AbacusTrain, DoesNotOverwriteAnUnfinishedTraining) {
  test::write_text(file("a.state"), "state");
  const TrainerOutcome outcome =
      test::run_trainer({"train", "--epochs", "1", "--out", file("a.safetensors")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr(file("a.state")), HasSubstr("--resume")));
  EXPECT_EQ(test::read_text(file("a.state")), "state");
}

TEST_F(AbacusTrain, RefusesBadArguments) {
  const std::string out = file("a.safetensors");
  EXPECT_NE(test::run_trainer({}).exit_code, 0);
  EXPECT_NE(test::run_trainer({"train", "--out", out}).exit_code, 0);
  EXPECT_NE(test::run_trainer({"train", "--epochs", "1", "--out", out, "--unknown"}).exit_code, 0);
  const TrainerOutcome arithmetic =
      test::run_trainer({"train", "--epochs", "1", "--out", out, "--arithmetic", "xor"});
  EXPECT_NE(arithmetic.exit_code, 0);
  EXPECT_THAT(arithmetic.text, AllOf(HasSubstr("xor"), HasSubstr("adder")));
  const TrainerOutcome table =
      test::run_trainer({"train", "--epochs", "1", "--out", out, "--arithmetic", "table"});
  EXPECT_NE(table.exit_code, 0);
  EXPECT_THAT(table.text,
              HasSubstr("networks of arithmetic table are quantized from trained ones and "
                        "are not trained themselves; allowed: cnn, adder"));
  const TrainerOutcome scheme = test::run_trainer(
      {"qat", "--checkpoint", out, "--epochs", "1", "--out", out, "--scheme", "table"});
  EXPECT_NE(scheme.exit_code, 0);
  EXPECT_THAT(scheme.text, HasSubstr("scheme \"table\" quantizes trained networks and is not "
                                     "trained with; allowed: adderquant"));
  const TrainerOutcome precision =
      test::run_trainer({"train", "--epochs", "1", "--out", out, "--precision", "float16"});
  EXPECT_NE(precision.exit_code, 0);
  EXPECT_THAT(precision.text,
              AllOf(HasSubstr("float16"), HasSubstr("bfloat16"), HasSubstr("int8")));
  const TrainerOutcome device =
      test::run_trainer({"train", "--epochs", "1", "--out", out, "--device", "tpu"});
  EXPECT_NE(device.exit_code, 0);
  EXPECT_THAT(device.text, AllOf(HasSubstr("tpu"), HasSubstr("cpu"), HasSubstr("cuda")));
  const TrainerOutcome data =
      test::run_trainer({"train", "--epochs", "1", "--out", out, "--data", file("absent")});
  EXPECT_EQ(data.exit_code, 1);
  EXPECT_THAT(data.text, HasSubstr(file("absent")));
  EXPECT_THAT(folder_.files(), IsEmpty());
}

// A manifest whose tensors fill all parameters of LeNet, all 0.5.
void write_manifest(const std::filesystem::path& manifest, const std::filesystem::path& values,
                    const std::string& left_out = "") {
  std::string text;
  std::vector<float> all;
  for (const network::ParameterShape& parameter : network::parameter_shapes(
           network::make_network("lenet", network::Arithmetic::adder, {1, 28, 28}, 10))) {
    if (parameter.name == left_out) continue;
    text += "module." + parameter.name + " " + std::to_string(all.size()) + " ";
    std::size_t count = 1;
    for (std::size_t i = 0; i < parameter.shape.size(); ++i) {
      text += (i > 0 ? "x" : "") + std::to_string(parameter.shape[i]);
      count *= static_cast<std::size_t>(parameter.shape[i]);
    }
    text += "\n";
    all.insert(all.end(), count, 0.5F);
  }
  test::write_text(manifest, text);
  const auto tensor = network::Tensor::from(all, {static_cast<std::int64_t>(all.size())});
  test::write_text(values, std::string(tensor.bytes.begin(), tensor.bytes.end()));
}

TEST_F(AbacusTrain, ImportsAManifest) {
  write_manifest(file("b.manifest.txt"), file("b.f32"));
  const TrainerOutcome outcome = test::run_trainer(
      {"import", "--from", file("b.manifest.txt"), "--network", "lenet", "--dataset",
       "fashion-mnist", "--mean", "0.25", "--deviation", "0.5", "--out", file("b.safetensors")});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.text;
  const network::Checkpoint checkpoint = network::load_checkpoint(file("b.safetensors"));
  EXPECT_EQ(checkpoint.network.name, "lenet");
  EXPECT_EQ(checkpoint.normalization.mean[0], 0.25F);
  EXPECT_EQ(checkpoint.normalization.deviation[0], 0.5F);
  EXPECT_EQ(checkpoint.float_accuracy_percent, -1);
  EXPECT_EQ(checkpoint.tensors.at("bn1.bias").values<float>(), std::vector<float>(8, 0.5F));
}

// By the option that says so, and by the name that contradicts the arithmetic; nothing is written.
TEST_F(AbacusTrain, RefusesAnImportThatItsOptionsContradict) {
  write_manifest(file("b.manifest.txt"), file("b.f32"));
  const auto refused = [&](const std::vector<std::string>& more, const std::string& words) {
    std::vector<std::string> arguments = {"import",        "--from", file("b.manifest.txt"),
                                          "--network",     "lenet",  "--dataset",
                                          "fashion-mnist", "--out",  file("b.safetensors")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const TrainerOutcome outcome = test::run_trainer(arguments);
    EXPECT_EQ(outcome.exit_code, 1) << words;
    EXPECT_THAT(outcome.text, HasSubstr(words));
    EXPECT_THAT(folder_.files(), ElementsAre("b.f32", "b.manifest.txt"));
  };
  refused({"--mean", "nan"}, "--mean: found nan, allowed: finite numbers");
  refused({"--mean", "inf"}, "--mean: found inf");
  refused({"--mean", "0.5,0.5"}, "--mean: found 2 values");
  for (const std::string bad : {"nan", "inf", "0", "-1"}) {
    refused({"--deviation", bad},
            "--deviation: found " + bad + ", allowed: finite numbers above 0");
  }
  std::string manifest = test::read_text(file("b.manifest.txt"));
  const std::string weight = "conv2.weight";
  manifest.replace(manifest.find(weight), weight.size(), "conv2.adder");
  test::write_text(file("b.manifest.txt"), manifest);
  refused({"--arithmetic", "cnn"}, "tensor \"module.conv2.adder\": found an adder layer's weights");
}

TEST_F(AbacusTrain, RefusesAnImportWithATensorMissing) {
  write_manifest(file("b.manifest.txt"), file("b.f32"), "bn2.running_var");
  const TrainerOutcome outcome =
      test::run_trainer({"import", "--from", file("b.manifest.txt"), "--network", "lenet",
                         "--dataset", "fashion-mnist", "--out", file("b.safetensors")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr(file("b.manifest.txt")), HasSubstr("bn2.running_var")));
  EXPECT_THAT(folder_.files(), ElementsAre("b.f32", "b.manifest.txt"));
}

TEST_F(AbacusTrain, RefusesAnImportOfMisshapenSurplusAndCutTensors) {
  const auto import = [&](const std::string& words) {
    const TrainerOutcome outcome =
        test::run_trainer({"import", "--from", file("b.manifest.txt"), "--network", "lenet",
                           "--dataset", "fashion-mnist", "--out", file("b.safetensors")});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_THAT(outcome.text, AllOf(HasSubstr("b."), HasSubstr(words)));
    EXPECT_THAT(folder_.files(), ElementsAre("b.f32", "b.manifest.txt"));
  };
  write_manifest(file("b.manifest.txt"), file("b.f32"));
  const std::string manifest = test::read_text(file("b.manifest.txt"));
  const std::string values = test::read_text(file("b.f32"));

  std::string misshapen = manifest;
  const std::size_t line = misshapen.find("module.bn1.bias ");
  ASSERT_NE(line, std::string::npos);
  const std::size_t shape = misshapen.find(" 8\n", line);
  ASSERT_NE(shape, std::string::npos);
  test::write_text(file("b.manifest.txt"), misshapen.replace(shape, 3, " 2x4\n"));
  import("bn1.bias");
  test::write_text(file("b.manifest.txt"), manifest + "module.surplus 0 1\n");
  import("surplus");
  test::write_text(file("b.manifest.txt"), manifest);
  test::write_text(file("b.f32"), values.substr(0, values.size() - 4));
  import("b.f32");
  std::string not_a_number = values;
  not_a_number.replace(0, 4, std::string("\0\0\xC0\x7F", 4));
  test::write_text(file("b.f32"), not_a_number);
  import("found nan at element 0");
}

TEST_F(AbacusTrain, RefusesToEvaluateWhatIsNoCheckpoint) {
  test::write_text(file("c.safetensors"), "something else");
  const TrainerOutcome outcome =
      test::run_trainer({"evaluate", "--checkpoint", file("c.safetensors")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.text, HasSubstr(file("c.safetensors")));
}

}  // namespace
}  // namespace abacus::cli
