// The state of an unfinished quantization-aware training, on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "sw/quant/qat/qat_network.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/optimizer.hpp"

namespace abacus {

// Everything that changes while training, apart from parameters, ranges and momentum.
struct QatPosition {
  int epoch = 0;
  std::int64_t batch = 0;  // the next one of the epoch
  double loss_sum = 0;     // over the epoch's images so far
  std::int64_t correct = 0;
  double seconds = 0;  // spent on the epoch so far
  std::string metrics;
};

// What training changes.
struct QatTraining {
  FloatNetwork& network;
  Optimizer& optimizer;
  QatNetwork& quantized;
  std::map<std::string, torch::Tensor>& range_velocity;  // by LearnedRange::name
};

// All that must be the same for a resumed run to be the same run: what it is → its value.
using QatIdentity = std::map<std::string, std::string>;

void save_qat_state(const std::filesystem::path& file, const QatIdentity& identity,
                    const QatTraining& training, const QatPosition& at);

// Throws std::runtime_error naming the file and what differs, or what is missing in it.
void check_qat_state(const std::filesystem::path& file, const QatIdentity& identity);

// The numbers of the saved training's plan (scales, ranges, groups, steps) in place of those of `plan`,
// which was made for the same network and options: searching ranges anew takes long, and another
// machine may find slightly different ones. Throws likewise.
void load_qat_plan(const std::filesystem::path& file, QuantizationPlan& plan);

// Throws likewise.
QatPosition load_qat_state(const std::filesystem::path& file, const QatIdentity& identity,
                           QatTraining training);

// Hexadecimal: reads back as the same double.
std::string exact_text(double value);

}  // namespace abacus
