#include "sw/train/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <stdexcept>

#include "sw/support/atomic_file.hpp"
#include "sw/support/progress.hpp"
#include "sw/train/device.hpp"
#include "sw/train/training_record.hpp"

namespace abacus {
namespace {

constexpr char kStateFormat[] = "abacus-training-state-1";
constexpr std::int64_t kEvaluationBatch = 250;

// Everything that changes while training, apart from parameters and momentum.
struct Position {
  int epoch = 0;
  std::int64_t batch = 0;  // the next one of the epoch
  double loss_sum = 0;     // over the epoch's images so far
  std::int64_t correct = 0;
  double seconds = 0;  // spent on the epoch so far
  std::string metrics = metrics_header;
};

// Hexadecimal: reads back as the same double.
std::string exact(double value) { return number(value, "%a"); }

void check(const TrainOptions& o, const TrainingData& data) {
  check_course({o.epochs, o.batch, o.learning_rate, o.warmup, o.checkpoint_every,
                data.training.count(), o.out},
               o.optimizer);
  require(o.label_smoothing >= 0 && o.label_smoothing < 1, "label-smoothing", o.label_smoothing,
          "0 to less than 1");
  require(o.augmentation.padding >= 0 && o.augmentation.padding < data.training.image.width,
          "crop-padding", o.augmentation.padding, "0 to less than the image's width");
  check_device(o.device, o.precision);
  require(o.statistics_batches >= 0, "statistics-batches", o.statistics_batches, "0 or more");
}

// All that must be the same for a resumed run to be the same run.
std::map<std::string, std::string> identity(const TrainOptions& o, const TrainingData& data) {
  return {{"network", o.network},
          {"arithmetic", to_string(o.arithmetic)},
          {"dataset", data.training.name},
          {"training images", std::to_string(data.training.count())},
          {"epochs", std::to_string(o.epochs)},
          {"batch", std::to_string(o.batch)},
          {"lr", exact(o.learning_rate)},
          {"warmup", exact(o.warmup)},
          {"label-smoothing", exact(o.label_smoothing)},
          {"precision", to_string(o.precision)},
          {"momentum", exact(o.optimizer.momentum)},
          {"weight-decay", exact(o.optimizer.weight_decay)},
          {"nesterov", o.optimizer.nesterov ? "yes" : "no"},
          {"adder-rate", exact(o.optimizer.adder_rate)},
          {"crop-padding", std::to_string(o.augmentation.padding)},
          {"flip", o.augmentation.flip ? "yes" : "no"},
          {"statistics-batches", std::to_string(o.statistics_batches)},
          {"seed", std::to_string(o.seed)}};
}

void save_state(const TrainOptions& options, const TrainingData& data, const FloatNetwork& network,
                const Optimizer& optimizer, const Position& at) {
  TensorFile state;
  state.metadata = identity(options, data);
  state.metadata["format"] = kStateFormat;
  state.metadata["next epoch"] = std::to_string(at.epoch);
  state.metadata["next batch"] = std::to_string(at.batch);
  state.metadata["loss sum"] = exact(at.loss_sum);
  state.metadata["correct"] = std::to_string(at.correct);
  state.metadata["seconds"] = exact(at.seconds);
  state.metadata["metrics"] = at.metrics;
  for (auto& [name, tensor] : network.tensors()) state.tensors["parameter/" + name] = tensor;
  for (auto& [name, tensor] : optimizer.state()) state.tensors["momentum/" + name] = tensor;
  write_safetensors(state_file(options.out), state);
}

Position load_state(const TrainOptions& options, const TrainingData& data, FloatNetwork& network,
                    Optimizer& optimizer) {
  const std::filesystem::path file = state_file(options.out);
  const TensorFile state = read_safetensors(file);
  const auto text = [&](const std::string& key) {
    const auto at = state.metadata.find(key);
    if (at == state.metadata.end()) {
      throw std::runtime_error(file.string() + ": metadata has no \"" + key +
                               "\"; expected a training state of abacus-train");
    }
    return at->second;
  };
  auto expected = identity(options, data);
  expected["format"] = kStateFormat;
  for (const auto& [key, value] : expected) {
    if (text(key) != value) {
      throw std::runtime_error(file.string() + ": cannot resume: the state was made with " + key +
                               " " + text(key) + ", this run has " + value);
    }
  }
  std::map<std::string, Tensor> parameters, momentum;
  for (const auto& [name, tensor] : state.tensors) {
    if (name.rfind("parameter/", 0) == 0) parameters[name.substr(10)] = tensor;
    if (name.rfind("momentum/", 0) == 0) momentum[name.substr(9)] = tensor;
  }
  check_parameters(network.network(), parameters, file);
  for (const auto& [name, tensor] : parameters) network.set_parameter(name, to_torch(tensor));
  for (const std::string& name : network.trainable()) {
    const auto found = momentum.find(name);
    if (found == momentum.end() || found->second.type != ElementType::f32 ||
        found->second.shape != parameters.at(name).shape) {
      throw std::runtime_error(file.string() + ": tensor \"momentum/" + name +
                               "\": missing or not of the shape of its parameter");
    }
  }
  optimizer.set_state(momentum);
  Position at;
  at.epoch = std::stoi(text("next epoch"));
  at.batch = std::stoll(text("next batch"));
  at.loss_sum = std::strtod(text("loss sum").c_str(), nullptr);
  at.correct = std::stoll(text("correct"));
  at.seconds = std::strtod(text("seconds").c_str(), nullptr);
  at.metrics = text("metrics");
  return at;
}

std::int64_t count_correct(const torch::Tensor& scores, const torch::Tensor& labels) {
  return scores.argmax(1).to(labels.device()).eq(labels).sum().item<std::int64_t>();
}

void estimate_statistics(const TrainOptions& options, const TrainingData& data,
                         const std::vector<std::int64_t>& order, std::uint64_t epoch,
                         FloatNetwork& network) {
  torch::NoGradGuard no_gradient;
  const std::int64_t count = data.training.count();
  const std::int64_t size = std::min<std::int64_t>(options.batch, count);
  const std::int64_t batches = std::min<std::int64_t>(options.statistics_batches, count / size);
  if (batches == 0) return;
  network.set_batch_norm_mode(BatchNormMode::re_estimation);
  for (std::int64_t i = 0; i < batches; ++i) {
    network.forward(make_batch(data.training, data.normalization, order.data() + i * size, size,
                               options.augmentation, options.seed, epoch)
                        .images);
  }
  network.set_batch_norm_mode(BatchNormMode::training);
}

void save_final(const TrainOptions& options, const TrainingData& data, const FloatNetwork& network,
                double accuracy) {
  Checkpoint checkpoint;
  checkpoint.network = network.network();
  checkpoint.dataset = data.training.name;
  checkpoint.normalization = data.normalization;
  checkpoint.float_accuracy_percent = accuracy;
  checkpoint.epochs = options.epochs;
  checkpoint.seed = options.seed;
  checkpoint.command = options.command;
  checkpoint.tensors = network.tensors();
  save_checkpoint(options.out, checkpoint);
}

}  // namespace

std::filesystem::path state_file(const std::filesystem::path& out) {
  return std::filesystem::path(out).replace_extension(".state");
}

std::filesystem::path metrics_file(const std::filesystem::path& out) {
  return std::filesystem::path(out).replace_extension(".csv");
}

double evaluate(FloatNetwork& network, const Dataset& dataset, const Normalization& normalization,
                std::int64_t images) {
  torch::NoGradGuard no_gradient;
  const std::int64_t count = images > 0 ? std::min(images, dataset.count()) : dataset.count();
  if (count == 0) throw std::invalid_argument("no images to evaluate on");
  const BatchNormMode mode = network.batch_norm_mode();
  network.set_batch_norm_mode(BatchNormMode::inference);
  Progress progress("evaluating", count);
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
  using Clock = std::chrono::steady_clock;
  check(options, data);
  const Dataset& training = data.training;
  FloatNetwork network(
      make_network(options.network, options.arithmetic, training.image, training.classes),
      options.seed);
  network.set_precision(options.precision);
  network.to(options.device);
  Optimizer optimizer(network, options.optimizer);
  Position at;
  if (options.resume && std::filesystem::exists(state_file(options.out))) {
    at = load_state(options, data, network, optimizer);
  }
  // A last batch of less than half the size would carry noisy statistics: it is left out.
  const std::int64_t count = training.count();
  std::int64_t batches = count / options.batch;
  if (count % options.batch * 2 >= options.batch || batches == 0) ++batches;
  Progress progress("training " + options.network + " " + to_string(options.arithmetic),
                    options.epochs * batches, at.epoch * batches + at.batch);

  for (; at.epoch < options.epochs; ++at.epoch) {
    const auto epoch = static_cast<std::uint64_t>(at.epoch);
    const std::vector<std::int64_t> order = shuffled_order(count, options.seed, epoch);
    const double seconds_before = at.seconds;
    const Clock::time_point start = Clock::now();
    const auto seconds = [&] {
      return seconds_before + std::chrono::duration<double>(Clock::now() - start).count();
    };
    std::int64_t seen = std::min(at.batch * options.batch, count);
    double rate = 0;
    for (; at.batch < batches; ++at.batch) {
      if (stop && stop()) {
        at.seconds = seconds();
        save_state(options, data, network, optimizer, at);
        return {};
      }
      const std::int64_t size = std::min<std::int64_t>(options.batch, count - seen);
      const Batch batch = make_batch(training, data.normalization, order.data() + seen, size,
                                     options.augmentation, options.seed, epoch);
      rate =
          cosine_rate(options.learning_rate,
                      at.epoch + static_cast<double>(at.batch + 1) / static_cast<double>(batches),
                      options.epochs, options.warmup);
      optimizer.clear_gradients();
      const torch::Tensor scores = network.forward(batch.images);
      const torch::Tensor loss =
          torch::cross_entropy_loss(scores, batch.labels.to(scores.device()), {},
                                    at::Reduction::Mean, -100, options.label_smoothing);
      loss.backward();
      const std::int64_t correct = count_correct(scores.detach(), batch.labels);
      const double loss_value = loss.item<double>();
      if (!std::isfinite(loss_value)) {
        throw std::runtime_error("loss is " + number(loss_value, "%g") + " in epoch " +
                                 std::to_string(at.epoch + 1) + ", batch " +
                                 std::to_string(at.batch + 1) + "; try a smaller lr");
      }
      optimizer.step(rate);
      seen += size;
      at.loss_sum += loss_value * static_cast<double>(size);
      at.correct += correct;
      progress.update(at.epoch * batches + at.batch + 1,
                      "epoch " + std::to_string(at.epoch + 1) + "/" +
                          std::to_string(options.epochs) + ", loss " +
                          number(at.loss_sum / static_cast<double>(seen), "%.4f") + ", accuracy " +
                          number(percent(at.correct, seen), "%.2f") + " %");
    }
    estimate_statistics(options, data, order, epoch, network);
    const double validation = evaluate(network, data.validation, data.normalization);
    at.metrics += metrics_line({at.epoch + 1, rate, at.loss_sum / static_cast<double>(seen),
                                percent(at.correct, seen), validation, seconds()});
    write_file_atomically(metrics_file(options.out), [&](std::ostream& out) { out << at.metrics; });
    Position next;
    next.epoch = at.epoch + 1;
    next.metrics = at.metrics;
    if (next.epoch % options.checkpoint_every == 0 || next.epoch == options.epochs) {
      save_state(options, data, network, optimizer, next);
    }
    next.epoch = at.epoch;  // the loop counts on
    at = next;
  }
  TrainResult result;
  result.finished = true;
  result.float_accuracy_percent = evaluate(network, data.test, data.normalization);
  save_final(options, data, network, result.float_accuracy_percent);
  std::filesystem::remove(state_file(options.out));
  return result;
}

}  // namespace abacus
