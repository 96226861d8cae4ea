#include "sw/train/trainer.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "sw/network/dataset_match.hpp"
#include "sw/support/progress.hpp"
#include "sw/train/device.hpp"
#include "sw/train/training_loop.hpp"
#include "sw/train/training_record.hpp"
#include "sw/train/training_state.hpp"

namespace abacus::train {
namespace {

constexpr char kStateFormat[] = "abacus-training-state-1";
constexpr std::int64_t kEvaluationBatch = 250;

void check(const TrainOptions& o, const TrainingData& data) {
  check_course({o.epochs, o.batch, o.learning_rate, o.warmup, o.checkpoint_every,
                data.training.count(), o.out},
               o.optimizer);
  require(o.label_smoothing >= 0 && o.label_smoothing < 1, "label-smoothing", o.label_smoothing,
          "0 to less than 1");
  require(o.augmentation.padding >= 0 && o.augmentation.padding < data.training.image.width,
          "crop-padding", o.augmentation.padding, "0 to less than the image's width");
  for (const network::Dataset* images : {&data.validation, &data.test}) {
    network::check_images("training images", data.training.image, data.training.classes, *images);
  }
  check_device(o.device, o.precision);
  require(o.statistics_batches >= 0, "statistics-batches", o.statistics_batches, "0 or more");
}

// All that must be the same for a resumed run to be the same run.
TrainingIdentity identity(const TrainOptions& o, const TrainingData& data) {
  return {{"format", kStateFormat},
          {"network", o.network},
          {"arithmetic", network::to_string(o.arithmetic)},
          {"dataset", data.training.name},
          {"training images", std::to_string(data.training.count())},
          {"epochs", std::to_string(o.epochs)},
          {"batch", std::to_string(o.batch)},
          {"lr", exact_text(o.learning_rate)},
          {"warmup", exact_text(o.warmup)},
          {"label-smoothing", exact_text(o.label_smoothing)},
          {"precision", to_string(o.precision)},
          {"momentum", exact_text(o.optimizer.momentum)},
          {"weight-decay", exact_text(o.optimizer.weight_decay)},
          {"nesterov", o.optimizer.nesterov ? "yes" : "no"},
          {"adder-rate", exact_text(o.optimizer.adder_rate)},
          {"crop-padding", std::to_string(o.augmentation.padding)},
          {"flip", o.augmentation.flip ? "yes" : "no"},
          {"statistics-batches", std::to_string(o.statistics_batches)},
          {"seed", std::to_string(o.seed)}};
}

class FloatTraining : public TrainingTask {
 public:
  FloatTraining(const TrainOptions& options, const TrainingData& data)
      : options_(options),
        data_(data),
        network_(network::make_network(options.network, options.arithmetic, data.training.image,
                                       data.training.classes),
                 options.seed),
        optimizer_(prepared_network(), options.optimizer),
        batches_(data.training, data.normalization,
                 {options.batch, options.augmentation, options.seed}) {}

  // False: stopped, state saved.
  bool run(const std::function<bool()>& stop) {
    TrainingPosition at;
    if (options_.resume && std::filesystem::exists(state_file(options_.out))) {
      const TrainingState state(state_file(options_.out));
      state.require_same(identity(options_, data_));
      at = state.load(network_, optimizer_);
    }
    TrainingCourse course;
    course.schedule = EpochSchedule{options_.epochs, options_.learning_rate, options_.warmup};
    course.recording = {metrics_file(options_.out), options_.checkpoint_every};
    course.stop = stop;
    support::Progress progress(
        "training " + options_.network + " " + network::to_string(options_.arithmetic),
        training_steps(course.schedule, batches_.batches()),
        at.epoch * batches_.batches() + at.batch);
    course.progress = [&](std::int64_t done, std::int64_t, const std::string& note) {
      progress.update(done, note);
    };
    return run_training(*this, optimizer_, batches_, course, at);
  }

  Judgement judge(const Batch& batch) override {
    const torch::Tensor scores = network_.forward(batch.images);
    return {scores, torch::cross_entropy_loss(scores, batch.labels.to(scores.device()), {},
                                              at::Reduction::Mean, -100, options_.label_smoothing)};
  }

  std::optional<double> end_epoch(int epoch) override {
    estimate_statistics(epoch);
    return evaluate(network_, data_.validation, data_.normalization);
  }

  void save(const TrainingPosition& at) override {
    save_training_state(state_file(options_.out), identity(options_, data_), network_, optimizer_,
                        at);
  }

  TrainResult finish() {
    TrainResult result;
    result.finished = true;
    result.float_accuracy_percent = evaluate(network_, data_.test, data_.normalization);
    network::Checkpoint checkpoint;
    checkpoint.network = network_.network();
    checkpoint.dataset = data_.training.name;
    checkpoint.normalization = data_.normalization;
    checkpoint.float_accuracy_percent = result.float_accuracy_percent;
    checkpoint.epochs = options_.epochs;
    checkpoint.seed = options_.seed;
    checkpoint.command = options_.command;
    checkpoint.processor = options_.processor;
    checkpoint.tensors = network_.tensors();
    network::save_checkpoint(options_.out, checkpoint);
    return result;
  }

 private:
  FloatNetwork& prepared_network() {
    network_.set_precision(options_.precision);
    network_.to(options_.device);
    return network_;
  }

  void estimate_statistics(int epoch) {
    torch::NoGradGuard no_gradient;
    const std::int64_t batches =
        std::min<std::int64_t>(options_.statistics_batches, batches_.whole_batches());
    if (batches == 0) return;
    network_.set_batch_norm_mode(BatchNormMode::re_estimation);
    for (std::int64_t i = 0; i < batches; ++i) network_.forward(batches_.batch(epoch, i).images);
    network_.set_batch_norm_mode(BatchNormMode::training);
  }

  const TrainOptions& options_;
  const TrainingData& data_;
  FloatNetwork network_;
  Optimizer optimizer_;
  BatchSource batches_;
};

}  // namespace

std::filesystem::path state_file(const std::filesystem::path& out) {
  return std::filesystem::path(out).replace_extension(".state");
}

std::filesystem::path metrics_file(const std::filesystem::path& out) {
  return std::filesystem::path(out).replace_extension(".csv");
}

double evaluate(FloatNetwork& network, const network::Dataset& dataset,
                const network::Normalization& normalization, std::int64_t images) {
  network::check_images("network", network.network(), dataset);
  torch::NoGradGuard no_gradient;
  const std::int64_t count = images > 0 ? std::min(images, dataset.count()) : dataset.count();
  const BatchNormMode mode = network.batch_norm_mode();
  network.set_batch_norm_mode(BatchNormMode::inference);
  support::Progress progress("evaluating", count);
  std::int64_t correct = 0;
  for (std::int64_t first = 0; first < count; first += kEvaluationBatch) {
    const std::int64_t size = std::min(kEvaluationBatch, count - first);
    const Batch batch = make_batch(dataset, normalization, first, size);
    correct += count_correct(network.forward(batch.images), batch.labels);
    progress.update(first + size);
  }
  network.set_batch_norm_mode(mode);
  return percent(correct, count);
}

TrainResult train(const TrainOptions& options, const TrainingData& data,
                  const std::function<bool()>& stop) {
  check(options, data);
  FloatTraining training(options, data);
  if (!training.run(stop)) return {};
  const TrainResult result = training.finish();
  std::filesystem::remove(state_file(options.out));
  return result;
}

}  // namespace abacus::train
