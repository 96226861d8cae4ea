// The loop under every training: batch after batch through the forward pass, the loss, its gradients
// and a step of the optimizer, so many epochs or steps, with what is saved and written down on the way.
// A training can be stopped and resumed at any batch without changing the result by a bit (same machine,
// same number of threads): what a batch holds depends on its place alone (BatchSource), and a state has
// all else (training_state.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "sw/train/batches.hpp"
#include "sw/train/optimizer.hpp"
#include "sw/train/torch.hpp"
#include "sw/train/training_record.hpp"

namespace abacus::train {

// How far a training is: everything that changes beside what it trains.
struct TrainingPosition {
  int epoch = 0;
  std::int64_t batch = 0;  // the next one of the epoch
  double loss_sum = 0;     // over the epoch's images so far
  std::int64_t correct = 0;
  double seconds = 0;  // spent on the epoch so far
  std::string metrics = metrics_header;
};

// So many passes over the images; the rate (cosine_rate) is that at the end of each step.
struct EpochSchedule {
  int epochs = 1;
  double rate = 0.1;
  double warmup = 0;  // epochs
};
// So many steps, whatever is left of the last epoch; the rate is that at the start of each step.
struct StepSchedule {
  std::int64_t steps = 1;
  double rate = 0.1;
};
using TrainingSchedule = std::variant<EpochSchedule, StepSchedule>;

// What a training's step is asked for besides its gradients.
class TrainingStep {
 public:
  TrainingStep(double rate, std::string place) : rate_(rate), place_(std::move(place)) {}

  double rate() const { return rate_; }
  // Throws std::runtime_error with the name, the value and the place in the training, if it is not.
  void require_finite(const std::string& what, double value) const;

 private:
  double rate_;
  std::string place_;
};

// What is trained, and by what it is judged. The loop clears gradients, asks for the loss, goes
// backward, and lets the optimizer take its step.
class TrainingTask {
 public:
  struct Judgement {
    torch::Tensor scores;  // N × classes
    torch::Tensor loss;
  };

  TrainingTask() = default;
  TrainingTask(const TrainingTask&) = delete;
  TrainingTask& operator=(const TrainingTask&) = delete;
  virtual ~TrainingTask() = default;

  virtual Judgement judge(const Batch& batch) = 0;
  // What the loss is called where it is no longer finite.
  virtual std::string loss_name() const { return "loss"; }
  // Before and after the optimizer's step.
  virtual void before_step(const TrainingStep& /*step*/) {}
  virtual void after_step(const TrainingStep& /*step*/) {}
  // After an epoch's last step; the accuracy on the validation images in percent, if it was measured.
  virtual std::optional<double> end_epoch(int /*epoch*/) { return std::nullopt; }
  // Writes the state from which the training goes on at `at`.
  virtual void save(const TrainingPosition& /*at*/) {}
};

// What a training leaves on disk while it goes on.
struct TrainingRecording {
  std::filesystem::path metrics;  // rewritten after every epoch
  int save_every = 1;             // epochs; after the last one in any case
};

struct TrainingCourse {
  TrainingSchedule schedule;
  // None: nothing is written or saved, and no label looked at.
  std::optional<TrainingRecording> recording = std::nullopt;
  // Called after each step with the number of all that are done, of the whole training, and how it
  // goes.
  std::function<void(std::int64_t done, std::int64_t total, const std::string& note)> progress = {};
  // Asked before each step whether to save and return.
  std::function<bool()> stop = {};
};

// From position `at` to the end, or until stopped: false, with the state saved. Throws
// std::runtime_error naming the place where the loss is no longer finite.
bool run_training(TrainingTask& task, Optimizer& optimizer, BatchSource& batches,
                  const TrainingCourse& course, TrainingPosition at = {});

std::int64_t training_steps(const TrainingSchedule& schedule, std::int64_t batches_an_epoch);

// Of a batch: how many scores are highest where the label is.
std::int64_t count_correct(const torch::Tensor& scores, const torch::Tensor& labels);

}  // namespace abacus::train
