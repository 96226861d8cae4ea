// abacus-train as a process: exit codes, messages, and what it leaves behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "tests/network/temporary_folder.hpp"

namespace abacus {
namespace {

using test::read_text;
using test::TemporaryFolder;
using test::write_text;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Outcome {
  int exit_code = -1;  // −1: ended by a signal
  std::string text;    // standard output and error
};

// Runs abacus-train; after its first output sends it `signal`, if that is not 0.
Outcome run(const std::vector<std::string>& arguments, int signal = 0) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("cannot make a pipe");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot start a process");
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    std::string program = ABACUS_TRAIN_PROGRAM;
    std::vector<std::string> copies = arguments;
    std::vector<char*> pointers = {program.data()};
    for (std::string& argument : copies) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    execv(program.c_str(), pointers.data());
    _exit(126);
  }
  close(ends[1]);
  Outcome outcome;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
    outcome.text.append(buffer, static_cast<std::size_t>(got));
    if (signal != 0) kill(child, signal);
    signal = 0;
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}

class AbacusTrain : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }

  TemporaryFolder folder_;
};

std::string big_endian(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 255U);
  return text;
}

// Fashion-MNIST's files with black images, all classes in turn.
void write_black_fashion_mnist(const std::filesystem::path& folder) {
  for (const auto& [name, count] :
       {std::pair<const char*, std::uint32_t>{"train", 60000}, {"t10k", 10000}}) {
    write_text(folder / (std::string(name) + "-images-idx3-ubyte"),
               big_endian(0x803) + big_endian(count) + big_endian(28) + big_endian(28) +
                   std::string(count * 784, '\0'));
    std::string labels = big_endian(0x801) + big_endian(count);
    for (std::uint32_t i = 0; i < count; ++i) labels += static_cast<char>(i % 10);
    write_text(folder / (std::string(name) + "-labels-idx1-ubyte"), labels);
  }
}

TEST_F(AbacusTrain, SavesItsStateWhenAskedToStop) {
  TemporaryFolder data;
  write_black_fashion_mnist(data.path());
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
    const Outcome outcome = run(arguments, signal);
    EXPECT_EQ(outcome.exit_code, 130) << outcome.text;
    EXPECT_THAT(outcome.text, AllOf(HasSubstr("a.state"), HasSubstr("--resume")));
    EXPECT_THAT(folder_.files(), ElementsAre("a.state"));
    std::filesystem::remove(file("a.state"));
  }
}

TEST_F(AbacusTrain, DoesNotOverwriteAnUnfinishedTraining) {
  write_text(file("a.state"), "state");
  const Outcome outcome = run({"train", "--epochs", "1", "--out", file("a.safetensors")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr(file("a.state")), HasSubstr("--resume")));
  EXPECT_EQ(read_text(file("a.state")), "state");
}

TEST_F(AbacusTrain, RefusesBadArguments) {
  const std::string out = file("a.safetensors");
  EXPECT_NE(run({}).exit_code, 0);
  EXPECT_NE(run({"train", "--out", out}).exit_code, 0);
  EXPECT_NE(run({"train", "--epochs", "1", "--out", out, "--unknown"}).exit_code, 0);
  const Outcome arithmetic = run({"train", "--epochs", "1", "--out", out, "--arithmetic", "xor"});
  EXPECT_NE(arithmetic.exit_code, 0);
  EXPECT_THAT(arithmetic.text, AllOf(HasSubstr("xor"), HasSubstr("adder")));
  const Outcome precision = run({"train", "--epochs", "1", "--out", out, "--precision", "float16"});
  EXPECT_NE(precision.exit_code, 0);
  EXPECT_THAT(precision.text,
              AllOf(HasSubstr("float16"), HasSubstr("bfloat16"), HasSubstr("int8")));
  const Outcome data = run({"train", "--epochs", "1", "--out", out, "--data", file("absent")});
  EXPECT_EQ(data.exit_code, 1);
  EXPECT_THAT(data.text, HasSubstr(file("absent")));
  EXPECT_THAT(folder_.files(), IsEmpty());
}

// A manifest whose tensors fill all parameters of LeNet, all 0.5.
void write_manifest(const std::filesystem::path& manifest, const std::filesystem::path& values,
                    const std::string& left_out = "") {
  std::string text;
  std::vector<float> all;
  for (const ParameterShape& parameter :
       parameter_shapes(make_network("lenet", Arithmetic::adder, {1, 28, 28}, 10))) {
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
  write_text(manifest, text);
  const auto tensor = Tensor::from(all, {static_cast<std::int64_t>(all.size())});
  write_text(values, std::string(tensor.bytes.begin(), tensor.bytes.end()));
}

TEST_F(AbacusTrain, ImportsAManifest) {
  write_manifest(file("b.manifest.txt"), file("b.f32"));
  const Outcome outcome = run({"import", "--from", file("b.manifest.txt"), "--network", "lenet",
                               "--dataset", "fashion-mnist", "--mean", "0.25", "--deviation", "0.5",
                               "--out", file("b.safetensors")});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.text;
  const Checkpoint checkpoint = load_checkpoint(file("b.safetensors"));
  EXPECT_EQ(checkpoint.network.name, "lenet");
  EXPECT_EQ(checkpoint.normalization.mean[0], 0.25F);
  EXPECT_EQ(checkpoint.normalization.deviation[0], 0.5F);
  EXPECT_EQ(checkpoint.float_accuracy_percent, -1);
  EXPECT_EQ(checkpoint.tensors.at("bn1.bias").values<float>(), std::vector<float>(8, 0.5F));
}

TEST_F(AbacusTrain, RefusesAnImportWithATensorMissing) {
  write_manifest(file("b.manifest.txt"), file("b.f32"), "bn2.running_var");
  const Outcome outcome = run({"import", "--from", file("b.manifest.txt"), "--network", "lenet",
                               "--dataset", "fashion-mnist", "--out", file("b.safetensors")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr(file("b.manifest.txt")), HasSubstr("bn2.running_var")));
  EXPECT_THAT(folder_.files(), ElementsAre("b.f32", "b.manifest.txt"));
}

TEST_F(AbacusTrain, RefusesToEvaluateWhatIsNoCheckpoint) {
  write_text(file("c.safetensors"), "something else");
  const Outcome outcome = run({"evaluate", "--checkpoint", file("c.safetensors")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.text, HasSubstr(file("c.safetensors")));
}

}  // namespace
}  // namespace abacus
