// A folder with a checkpoint, and commands of abacus-train on it as processes.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "sw/network/checkpoint.hpp"
#include "tests/support/temporary_folder.hpp"

namespace abacus::test {

struct Outcome {
  int status = 0;
  std::string text;  // standard output and error
};

inline Outcome run(const std::string& arguments) {
  const std::string command =
      "env -u ABACUS_DATA " + std::string(ABACUS_TRAIN_PROGRAM) + " " + arguments + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  Outcome outcome;
  char buffer[4096];
  for (std::size_t got = 0; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    outcome.text.append(buffer, got);
  }
  outcome.status = pclose(pipe);
  return outcome;
}

// An AdderNet's checkpoint.
class TrainerCommands : public ::testing::Test {
 protected:
  TrainerCommands() {
    checkpoint_.network =
        network::make_network("lenet", network::Arithmetic::adder, {1, 28, 28}, 10);
    checkpoint_.dataset = "fashion-mnist";
    checkpoint_.normalization = network::dataset_normalization("fashion-mnist");
    checkpoint_.command = "abacus-train train --crop-padding 2";
    for (const network::ParameterShape& parameter :
         network::parameter_shapes(checkpoint_.network)) {
      std::size_t count = 1;
      for (const std::int64_t size : parameter.shape) count *= static_cast<std::size_t>(size);
      std::vector<float> values(count, 1.0F);
      if (parameter.shape.size() == 4) {
        for (std::size_t i = 0; i < count; ++i) {
          values[i] = 3 * std::sin(static_cast<float>(7 * i));
        }
      }
      checkpoint_.tensors[parameter.name] = network::Tensor::from(values, parameter.shape);
    }
    network::save_checkpoint(file(), checkpoint_);
  }
  std::filesystem::path file() const { return folder_.path() / "c.safetensors"; }
  std::filesystem::path out() const { return folder_.path() / "s.csv"; }

  TemporaryFolder folder_;
  network::Checkpoint checkpoint_;
};

// A package of an ordinary checkpoint, with short work.
class PackageCommands : public TrainerCommands {
 protected:
  PackageCommands() { make_ordinary({1, 28, 28}, "fashion-mnist", file()); }

  // BatchNorms about as the layers' sums are, so that something passes the ReLUs.
  void make_ordinary(network::Shape image, const std::string& dataset,
                     const std::filesystem::path& to) {
    network::Checkpoint checkpoint = checkpoint_;
    checkpoint.network = network::make_network("lenet", network::Arithmetic::cnn, image, 10);
    checkpoint.dataset = dataset;
    checkpoint.normalization = network::dataset_normalization(dataset);
    checkpoint.tensors.clear();
    for (const network::ParameterShape& parameter : network::parameter_shapes(checkpoint.network)) {
      std::size_t count = 1;
      for (const std::int64_t size : parameter.shape) count *= static_cast<std::size_t>(size);
      const bool mean = parameter.name.find("running_mean") != std::string::npos;
      const bool variance = parameter.name.find("running_var") != std::string::npos;
      std::vector<float> values(count, mean ? 0.0F : variance ? 1000.0F : 1.0F);
      if (parameter.shape.size() == 4) {
        for (std::size_t i = 0; i < count; ++i) {
          values[i] = 3 * std::sin(static_cast<float>(7 * i));
        }
      }
      checkpoint.tensors[parameter.name] = network::Tensor::from(values, parameter.shape);
    }
    network::save_checkpoint(to, checkpoint);
  }

  std::string package() const { return (folder_.path() / "p.safetensors").string(); }

  void make_package() {
    const Outcome made =
        run("quantize --scheme uniform-ptq --weight-bits 4 --activation-bits 4 "
            "--calibration-images 40 --bn-images 40 --threads 1 --checkpoint " +
            file().string() + " --out " + package());
    ASSERT_EQ(made.status, 0) << made.text;
  }
};

}  // namespace abacus::test
