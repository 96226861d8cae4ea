// Quantization-aware training: goes on training a float network whose forward pass is quantized
// already, and ends in an integer network. It can be stopped and resumed at any batch without
// changing the result by a bit (same machine, same number of threads).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "sw/network/checkpoint.hpp"
#include "sw/network/dataset.hpp"
#include "sw/network/integer_network.hpp"
#include "sw/quant/options/quantization_options.hpp"
#include "sw/quant/qat/qat_quantizers.hpp"
#include "sw/train/adder_functions.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/optimizer.hpp"

namespace abacus::quant {

// Of the training itself.
struct QatTrainingOptions {
  // For the record, and for resuming: the caller gives the images. 0: all of a split.
  std::int64_t training_images = 0;
  int epochs = 10;
  int batch = 128;
  double learning_rate = 0.03;  // at the start of the cosine
  double warmup = 0;            // epochs of linearly rising learning rate
  // Adder weights at a quarter of the usual rate: they are where they belong, or nearly.
  train::OptimizerOptions optimizer = {0.9, 1e-4, false, 0.05};
  // Whose gradients the adder layers hand back. Exact ones, with adam, make a trained network better
  // at once, where AdderNet's need a training of their own.
  train::AdderGradient adder_gradient = train::AdderGradient::adder_net;
  // Of ordinary networks' convolutions (qat_network.hpp).
  train::Precision precision = train::Precision::float32;
  // Of the training passes. Not part of what a state must agree on: a training may go on elsewhere.
  torch::Device device = torch::kCPU;
  // Share of the float network's softened scores in the loss (Hinton et al., arXiv 1503.02531):
  // (1 − distill)·cross entropy + distill·temperature²·KL(float ‖ quantized).
  double distill = 0;
  double temperature = 4;
  bool learn_ranges = false;  // by LSQ's gradient (fake_quantization.hpp)
  double range_rate = 1;      // their learning rate as a multiple of the weights'
  // ASQ's adapters' rate as a multiple of the other ranges'. Their last weights start near 0, so that
  // few epochs hardly move β at 1.
  double adapter_rate = 1;
  // Adaptive gradient clipping (Brock et al., arXiv 2102.06171, eq. 3, a whole tensor at a time):
  // what is not an adder layer's weight has its gradient shortened to at most this times its own
  // norm. An adder layer's input gradient is not that of its output, so that gradients may grow
  // on their way to the first layers. 0: no clipping.
  double gradient_clip = 0.05;

  // Epochs between measurements on the validation images; at the end there is one in any case. It
  // changes nothing but the metrics.
  int validate_every = 1;
  int checkpoint_every = 1;  // epochs
  bool resume = false;       // go on from the state beside `out`, if there
  // The package, which the caller writes. Beside it: NAME.csv (metrics) and NAME.state, which the
  // caller removes once the package is there.
  std::filesystem::path out;
};

struct QatOptions : QatTrainingOptions {
  explicit QatOptions(CompletedOptions quantization_, QatTrainingOptions training = {})
      : QatTrainingOptions(std::move(training)), quantization(std::move(quantization_)) {}

  // The plan to start from, BatchNorm's re-estimation at the end, the images' augmentation and the
  // seed of everything random.
  CompletedOptions quantization;
  // Of ordinary networks, in place of the plan's: their parameters are always learned.
  std::optional<QatQuantizers> quantizers;
  std::string scheme;  // in the package's origin: "nonnegative-qat"
};

struct QatData {
  network::Dataset training;
  network::Dataset validation;                          // measured after every epoch, only to watch
  std::optional<network::Dataset> test = std::nullopt;  // measured once, at the end
};

struct QatResult {
  bool finished = false;  // false: stopped on request, state saved
  network::IntegerNetwork
      network;  // hashes empty; the fake-quantized accuracy is of the test images, if any
  double validation_percent = 0;  // likewise fake-quantized, of the validation images
  network::Checkpoint trained;    // the float parameters behind it
};

// `teacher` has the network whose scores are distilled; usually the same checkpoint. Asks `stop`
// between batches whether to save the state and return. Metrics: epoch, lr, train_loss,
// train_accuracy_percent, validation_accuracy_percent (of the integers, fake-quantized), seconds.
// Throws std::invalid_argument for options out of range or a scheme that is not for the network,
// std::runtime_error naming file and what differs when a state to resume from does not belong to
// these options, or naming epoch and batch when loss or
// gradients are no longer finite.
QatResult train_quantized(const network::Checkpoint& checkpoint, const network::Checkpoint& teacher,
                          const QatData& data, const QatOptions& options,
                          const std::function<bool()>& stop);

// Throws std::invalid_argument for quantizers that the scheme or the widths do not allow; nothing where
// there are none.
void check_quantizers(const QatOptions& options);

// One line of text that is the same for the same options; hashed, the package's recipe.
std::string to_string(const QatOptions& options);

}  // namespace abacus::quant
