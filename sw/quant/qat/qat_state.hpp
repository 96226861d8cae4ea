// The state of an unfinished quantization-aware training, on disk: that of any training
// (training_state.hpp), the plan that it started from, and the ranges that it has learned since.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "sw/quant/qat/qat_network.hpp"
#include "sw/train/modules.hpp"
#include "sw/train/optimizer.hpp"
#include "sw/train/training_state.hpp"

namespace abacus::quant {

// What training changes.
struct QatTraining {
  train::FloatNetwork& network;
  train::Optimizer& optimizer;
  QatNetwork& quantized;
  std::map<std::string, torch::Tensor>& range_velocity;  // by LearnedRange::name
};

// The identity's format.
inline constexpr char qat_state_format[] = "abacus-qat-state-2";

void save_qat_state(const std::filesystem::path& file, const train::TrainingIdentity& identity,
                    const QatTraining& training, const train::TrainingPosition& at);

// The numbers of the saved training's plan (scales, ranges, groups, steps) in place of those of `plan`,
// which was made for the same network and options: searching ranges anew takes long, and another
// machine may find slightly different ones. Throws std::runtime_error naming the file and what differs,
// or what is missing in it.
void load_qat_plan(const std::filesystem::path& file, QuantizationPlan& plan);

// Of a training of so many epochs and batches an epoch. Throws likewise.
train::TrainingPosition load_qat_state(const std::filesystem::path& file,
                                       const train::TrainingIdentity& identity,
                                       QatTraining training, int epochs, std::int64_t batches);

}  // namespace abacus::quant
