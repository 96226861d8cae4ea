// Trains a network of the zoo, so that it can be stopped and resumed at any batch without changing
// the result by a bit (same machine, same number of threads). A state may go on on another device.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "sw/network/checkpoint.hpp"
#include "sw/network/dataset.hpp"
#include "sw/network/network.hpp"
#include "sw/train/batches.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/optimizer.hpp"

namespace abacus::train {

struct TrainOptions {
  std::string network = "resnet20";
  network::Arithmetic arithmetic = network::Arithmetic::adder;
  int epochs = 1;
  int batch = 256;
  double learning_rate = 0.1;
  double warmup = 0;  // epochs of linearly rising learning rate
  double label_smoothing = 0;
  Precision precision = Precision::float32;
  torch::Device device = torch::kCPU;
  OptimizerOptions optimizer;
  Augmentation augmentation;
  std::uint64_t seed = 1;
  // After every epoch the BatchNorms' running statistics are estimated afresh on so many batches of
  // the epoch (0: not). An adder's outputs have means many times their deviation, which running
  // averages follow too slowly while the weights still move fast.
  int statistics_batches = 20;
  int checkpoint_every = 1;  // epochs
  bool resume = false;       // go on from the state beside `out`, if there
  std::string command;       // for the checkpoint's metadata
  std::string processor;     // likewise (processor_text)
  // The final checkpoint. Beside it: NAME.csv (metrics) and, while unfinished, NAME.state.
  std::filesystem::path out;
};

struct TrainingData {
  network::Dataset training;
  network::Dataset
      validation;  // measured after every epoch, only to watch; may be among the training images
  network::Dataset test;  // measured once, at the end
  network::Normalization normalization;
};

struct TrainResult {
  bool finished = false;  // false: stopped on request, state saved
  double float_accuracy_percent = -1;
};

// Asks `stop` between batches whether to save the state and return. Metrics: epoch, lr, train_loss,
// train_accuracy_percent, validation_accuracy_percent, seconds. Throws std::invalid_argument for
// options out of range; std::runtime_error naming file and what differs when a state to resume from
// does not belong to these options, or naming epoch and batch when the loss is no longer finite.
TrainResult train(const TrainOptions& options, const TrainingData& data,
                  const std::function<bool()>& stop);

std::filesystem::path state_file(const std::filesystem::path& out);
std::filesystem::path metrics_file(const std::filesystem::path& out);

// Share of the first `images` images (0: all) that the network, with running statistics, gives the
// right class. Percent.
double evaluate(FloatNetwork& network, const network::Dataset& dataset,
                const network::Normalization& normalization, std::int64_t images = 0);

}  // namespace abacus::train
