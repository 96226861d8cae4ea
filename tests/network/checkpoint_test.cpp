#include "sw/network/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.hpp"

namespace abacus::network {
namespace {

using test::read_text;
using test::TemporaryFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Checkpoint example() {
  Checkpoint checkpoint;
  checkpoint.network = make_network("resnet20", Arithmetic::adder, {3, 32, 32}, 10);
  checkpoint.dataset = "cifar10";
  checkpoint.normalization = {{0.4914F, 0.4822F, 0.4465F}, {0.2023F, 0.1994F, 0.201F}};
  checkpoint.float_accuracy_percent = 91.83;
  checkpoint.epochs = 400;
  checkpoint.seed = 18446744073709551615U;
  checkpoint.command = "abacus-train train --epochs 400";
  float next = 0.1F;
  for (const ParameterShape& parameter : parameter_shapes(checkpoint.network)) {
    std::int64_t count = 1;
    for (const std::int64_t size : parameter.shape) count *= size;
    checkpoint.tensors[parameter.name] =
        Tensor::from(std::vector<float>(static_cast<std::size_t>(count), next), parameter.shape);
    next += 0.1F;
  }
  return checkpoint;
}

class CheckpointFile : public ::testing::Test {
 protected:
  // What the reader says of the example after `change` to its file's content.
  template <typename Change>
  std::string error_after(Change change) {
    save_checkpoint(file_, example());
    TensorFile content = read_safetensors(file_);
    change(content);
    write_safetensors(file_, content);
    try {
      load_checkpoint(file_);
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr(file_.string()));
      return error.what();
    }
    return "accepted";
  }

  TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "a.safetensors";
};

TEST_F(CheckpointFile, KeepsEverything) {
  const Checkpoint saved = example();
  save_checkpoint(file_, saved);
  const Checkpoint loaded = load_checkpoint(file_);
  EXPECT_EQ(loaded.network.name, "resnet20");
  EXPECT_EQ(loaded.network.arithmetic, Arithmetic::adder);
  EXPECT_EQ(loaded.network.input, saved.network.input);
  EXPECT_EQ(loaded.network.classes, 10);
  EXPECT_EQ(loaded.dataset, saved.dataset);
  EXPECT_EQ(loaded.normalization.mean, saved.normalization.mean);
  EXPECT_EQ(loaded.normalization.deviation, saved.normalization.deviation);
  EXPECT_EQ(loaded.float_accuracy_percent, 91.83);
  EXPECT_EQ(loaded.epochs, 400);
  EXPECT_EQ(loaded.seed, saved.seed);
  EXPECT_EQ(loaded.command, saved.command);
  ASSERT_EQ(loaded.tensors.size(), saved.tensors.size());
  for (const auto& [name, tensor] : saved.tensors) {
    EXPECT_EQ(loaded.tensors.at(name).shape, tensor.shape) << name;
    EXPECT_EQ(loaded.tensors.at(name).bytes, tensor.bytes) << name;
  }
}

TEST_F(CheckpointFile, KeepsWhatItBeganAs) {
  Checkpoint saved = example();
  save_checkpoint(file_, saved);
  EXPECT_EQ(load_checkpoint(file_).float_origin_sha256, "");
  saved.float_origin_sha256 = std::string(60, '0') + "12ef";
  saved.float_origin_accuracy_percent = 91.42;
  save_checkpoint(file_, saved);
  const Checkpoint loaded = load_checkpoint(file_);
  EXPECT_EQ(loaded.float_origin_sha256, saved.float_origin_sha256);
  EXPECT_EQ(loaded.float_origin_accuracy_percent, 91.42);
}

TEST_F(CheckpointFile, IsTheSameBytesForTheSameContent) {
  save_checkpoint(file_, example());
  const std::string first = test::read_text(file_);
  save_checkpoint(file_, load_checkpoint(file_));
  EXPECT_EQ(test::read_text(file_), first);
}

TEST_F(CheckpointFile, RefusesTensorsThatAreNotTheNetworks) {
  EXPECT_THAT(error_after([](TensorFile& f) { f.tensors.erase("layer2.0.downsample.0.weight"); }),
              AllOf(HasSubstr("\"layer2.0.downsample.0.weight\""), HasSubstr("no such tensor"),
                    HasSubstr("[32, 16, 1, 1]")));
  EXPECT_THAT(error_after([](TensorFile& f) { f.tensors["extra"] = f.tensors["bn1.bias"]; }),
              AllOf(HasSubstr("\"extra\""), HasSubstr("resnet20")));
  EXPECT_THAT(error_after([](TensorFile& f) {
                f.tensors["bn1.bias"] = Tensor::from(std::vector<float>(15), {15});
              }),
              AllOf(HasSubstr("\"bn1.bias\""), HasSubstr("[15]"), HasSubstr("[16]")));
  EXPECT_THAT(error_after([](TensorFile& f) {
                f.tensors["bn1.bias"] = Tensor::from(std::vector<std::int32_t>(16), {16});
              }),
              HasSubstr("\"bn1.bias\""));
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    EXPECT_THAT(error_after([&](TensorFile& f) {
                  std::vector<float> values(16);
                  values[11] = bad;
                  f.tensors["bn1.bias"] = Tensor::from(values, {16});
                }),
                AllOf(HasSubstr("\"bn1.bias\""), HasSubstr("element 11")));
  }
}

TEST_F(CheckpointFile, RefusesBadMetadata) {
  for (const char* key :
       {"format", "network", "arithmetic", "dataset", "channels", "height", "width", "classes",
        "mean", "deviation", "float_accuracy_percent", "epochs", "seed", "command"}) {
    EXPECT_THAT(error_after([&](TensorFile& f) { f.metadata.erase(key); }),
                HasSubstr(std::string("\"") + key + "\""));
  }
  const auto with = [&](const std::string& key, const std::string& value) {
    return error_after([&](TensorFile& f) { f.metadata[key] = value; });
  };
  EXPECT_THAT(with("format", "abacus-checkpoint-9"), HasSubstr("abacus-checkpoint-1"));
  EXPECT_THAT(with("network", "resnet21"), HasSubstr("resnet20"));
  EXPECT_THAT(with("arithmetic", "xor"), HasSubstr("adder"));
  EXPECT_THAT(with("classes", "ten"), AllOf(HasSubstr("\"classes\""), HasSubstr("\"ten\"")));
  EXPECT_THAT(with("classes", "-1"), HasSubstr("\"classes\""));
  EXPECT_THAT(with("mean", "0.1,0.2"), HasSubstr("3 number"));
  EXPECT_THAT(with("mean", "0.1,0.2,0.3,0.4"), HasSubstr("3 number"));
  EXPECT_THAT(with("deviation", "0.1,0,0.3"), HasSubstr("positive"));
  EXPECT_THAT(with("float_accuracy_percent", "nan"), HasSubstr("float_accuracy_percent"));
  EXPECT_THAT(with("seed", "1.5"), HasSubstr("\"seed\""));
  EXPECT_THAT(with("float_origin_sha256", "12ef"), HasSubstr("64 hexadecimal digits"));
  EXPECT_THAT(with("float_origin_sha256", std::string(64, '7')),
              HasSubstr("\"float_origin_accuracy_percent\""));
}

TEST_F(CheckpointFile, IsNotWrittenWhenItsTensorsAreWrong) {
  Checkpoint checkpoint = example();
  checkpoint.tensors.erase("fc.weight");
  EXPECT_THROW(save_checkpoint(file_, checkpoint), std::runtime_error);
  EXPECT_THAT(folder_.files(), IsEmpty());
}

// Finite, yet no variance: nothing that was trained looks like this.
TEST_F(CheckpointFile, RefusesANegativeVarianceEverywhere) {
  for (const ParameterShape& parameter : parameter_shapes(example().network)) {
    const std::string ending = ".running_var";
    const bool variance =
        parameter.name.size() > ending.size() &&
        parameter.name.compare(parameter.name.size() - ending.size(), ending.size(), ending) == 0;
    Checkpoint changed = example();
    Tensor& tensor = changed.tensors.at(parameter.name);
    std::vector<float> values = tensor.values<float>();
    values.back() = -1e-6F;
    tensor = Tensor::from(values, tensor.shape);
    const auto refused = [&] {
      try {
        check_parameters(changed.network, changed.tensors, "a.pth");
      } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), AllOf(HasSubstr("a.pth"), HasSubstr(parameter.name),
                                        HasSubstr("-1e-06"), HasSubstr("a variance")));
        return true;
      }
      return false;
    };
    EXPECT_EQ(refused(), variance) << parameter.name;
  }
  EXPECT_THAT(error_after([](TensorFile& content) {
                Tensor& tensor = content.tensors.at("bn1.running_var");
                std::vector<float> values = tensor.values<float>();
                values[3] = -2;
                tensor = Tensor::from(values, tensor.shape);
              }),
              AllOf(HasSubstr("bn1.running_var"), HasSubstr("element 3")));
}

// What the reader would refuse leaves no file.
TEST_F(CheckpointFile, WritesNothingThatItsReaderRefuses) {
  const auto error_writing = [&](const auto& change) {
    Checkpoint changed = example();
    change(changed);
    try {
      save_checkpoint(file_, changed);
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(folder_.files(), IsEmpty());
      return std::string(error.what());
    }
    return std::string("written");
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinite = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinite, -infinite}) {
    EXPECT_THAT(error_writing([&](Checkpoint& c) { c.normalization.mean[2] = bad; }),
                HasSubstr("mean"));
  }
  for (const float bad : {nan, infinite, 0.0F, -1.0F}) {
    EXPECT_THAT(error_writing([&](Checkpoint& c) { c.normalization.deviation[0] = bad; }),
                HasSubstr("deviation"));
  }
  for (const double bad : {-2.0, 100.5, static_cast<double>(nan)}) {
    EXPECT_THAT(error_writing([&](Checkpoint& c) { c.float_accuracy_percent = bad; }),
                HasSubstr("accuracy in percent"));
  }
}

}  // namespace
}  // namespace abacus::network
