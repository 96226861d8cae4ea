#include "sw/quant/qat/qat.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "sw/network/dataset_match.hpp"
#include "sw/quant/calibrate/batch_norm_estimation.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/calibrate/layer_calibration.hpp"
#include "sw/quant/calibrate/make_plan.hpp"
#include "sw/quant/layers/apply_plan.hpp"
#include "sw/quant/options/scheme.hpp"
#include "sw/quant/qat/adapter_fit.hpp"
#include "sw/quant/qat/byte_teacher.hpp"
#include "sw/quant/qat/qat_network.hpp"
#include "sw/quant/qat/qat_state.hpp"
#include "sw/quant/simulate/finish.hpp"
#include "sw/support/log.hpp"
#include "sw/support/progress.hpp"
#include "sw/train/adder_functions.hpp"
#include "sw/train/batches.hpp"
#include "sw/train/device.hpp"
#include "sw/train/trainer.hpp"
#include "sw/train/training_loop.hpp"
#include "sw/train/training_record.hpp"
#include "sw/train/training_state.hpp"

namespace abacus::quant {
namespace {

// BatchNorm re-estimation for the validation after each epoch; the end has the options' number.
constexpr std::int64_t validation_batch_norm_images = 2000;
// Enough for adapters of a few thousand parameters.
constexpr std::int64_t most_fit_images = 4096;

bool for_ordinary_networks(const QatOptions& o) {
  return o.quantization.scheme().arithmetic == network::Arithmetic::cnn;
}

void check_training(const QatOptions& o, const QatData& data) {
  train::check_course({o.epochs, o.batch, o.learning_rate, o.warmup, o.checkpoint_every,
                       data.training.count(), o.out},
                      o.optimizer);
  train::require(o.distill >= 0 && o.distill <= 1, "distill", o.distill, "0 to 1");
  train::require(o.temperature > 0 && std::isfinite(o.temperature), "temperature", o.temperature,
                 "more than 0");
  train::require(o.gradient_clip >= 0, "gradient-clip", o.gradient_clip, "0 or more");
  train::require(o.range_rate > 0 && std::isfinite(o.range_rate), "range-rate", o.range_rate,
                 "more than 0");
  train::require(o.adapter_rate > 0 && std::isfinite(o.adapter_rate), "adapter-rate",
                 o.adapter_rate, "more than 0");
  train::check_device(o.device, o.precision);
  if (o.device.is_cuda() &&
      (o.learn_ranges || o.quantizers.has_value() || for_ordinary_networks(o))) {
    throw std::invalid_argument(
        "device: found cuda with ranges that are learned or a scheme for ordinary networks; "
        "allowed there: schemes for adder layers, without learn-ranges");
  }
  train::require(o.validate_every >= 1, "validate-every", o.validate_every, "1 or more");
  if (o.adder_gradient == train::AdderGradient::exact && for_ordinary_networks(o)) {
    throw std::invalid_argument("adder-gradient: found exact with scheme " + o.scheme +
                                ", allowed with schemes for adder layers");
  }
  // The training normalises with the batch's statistics, which the checkpoint's are not.
  if (o.quantization.batch_norm != BatchNormEstimation::estimated) {
    throw std::invalid_argument("bn: found " + option::batch_norm.text(o.quantization) +
                                ", allowed with training: estimated");
  }
}

std::string fingerprint(const std::map<std::string, network::Tensor>& tensors) {
  std::string text;
  for (const auto& [name, tensor] : tensors) {
    text += name + " " + std::string(tensor.bytes.begin(), tensor.bytes.end());
  }
  return network::sha256_text(text);
}

train::TrainingIdentity identity_of(const network::Checkpoint& checkpoint,
                                    const network::Checkpoint& teacher, const QatData& data,
                                    const QatOptions& options) {
  return {{"format", qat_state_format},
          {"options", to_string(options)},
          {"network", checkpoint.network.name},
          {"dataset", data.training.name},
          {"training images", std::to_string(data.training.count())},
          {"checkpoint", fingerprint(checkpoint.tensors)},
          {"teacher", options.distill > 0 ? fingerprint(teacher.tensors) : "none"}};
}

QuantizationProgress shown_by(support::StageProgress& stages) {
  return [&stages](const std::string& stage, std::int64_t done, std::int64_t total) {
    stages.update(stage, done, total);
  };
}

QuantizationPlan starting_plan(const network::Checkpoint& checkpoint, const CalibrationData& data,
                               const QatOptions& qat, const train::TrainingIdentity& identity) {
  const CompletedOptions& options = qat.quantization;
  const bool resumes = qat.resume && std::filesystem::exists(train::state_file(qat.out));
  if (resumes) train::TrainingState(train::state_file(qat.out)).require_same(identity);
  const std::vector<network::FoldedLayer> folded = network::fold_graph(checkpoint.network);
  check_operand_grids(checkpoint, folded, options);
  train::FloatNetwork network(checkpoint.network, checkpoint.tensors);
  support::StageProgress stages;
  const QuantizationProgress progress = shown_by(stages);
  const std::vector<TensorStatistics> statistics = calibrate(
      network, folded, data, options.calibration_images, calibration_alpha(options),
      [&](std::int64_t done) { progress("calibration", done, options.calibration_images); });
  QuantizationPlan plan = make_plan(checkpoint, folded, statistics, options);
  if (qat.quantizers.has_value()) {
    std::vector<double> means;
    for (const TensorStatistics& of : statistics) means.push_back(of.magnitudes.mean());
    set_quantizers(plan, checkpoint, folded, means, *qat.quantizers, options.seed);
    if (qat.quantizers->activations == ActivationQuantizer::asq && !resumes &&
        qat.quantizers->adapter_start == AdapterStart::fitted) {
      const std::int64_t images = std::min(options.calibration_images, most_fit_images);
      const AdapterFit fit =
          fit_adapters(plan, network, folded, data, images,
                       [&](std::int64_t done) { progress("adapters", done, images); });
      char text[128];
      std::snprintf(text, sizeof text,
                    "adapters: activations' squared error, relative, mean of %d layers: %.5f; %.5f "
                    "before the fit",
                    fit.adapters, fit.after, fit.before);
      support::log_info(text);
    }
  }
  if (resumes) {
    load_qat_plan(train::state_file(qat.out), plan);
    return plan;
  }
  if (!needs_layer_calibration(options)) return plan;
  // Its weights and BatchNorms are the training's business; the ranges are a good start.
  return calibrate_layers(checkpoint, std::move(plan), data, options, progress).plan;
}

// Adaptive gradient clipping. Tensors that are zero could never leave it without the floor.
void clip_gradient(const torch::Tensor& parameter, double norm, double gradient_norm,
                   double share) {
  constexpr double smallest_norm = 1e-3;
  const double most = share * std::max(norm, smallest_norm);
  if (share > 0 && gradient_norm > most) parameter.grad().mul_(most / gradient_norm);
}

train::FloatNetwork& moved(train::FloatNetwork& network, torch::Device device) {
  network.to(device);
  return network;
}

// The training, from its first step or a saved state to its last step.
class Training : public train::TrainingTask {
 public:
  Training(const network::Checkpoint& checkpoint, const network::Checkpoint& teacher,
           const QatData& data, const QatOptions& options, const std::function<bool()>& stop)
      : checkpoint_(checkpoint),
        data_(data),
        options_(options),
        identity_(identity_of(checkpoint, teacher, data, options)),
        stop_(stop),
        calibration_{data.training, checkpoint.normalization, options.quantization.augmentation(),
                     options.quantization.seed},
        network_(checkpoint.network, checkpoint.tensors),
        quantized_(moved(network_, options.device),
                   starting_plan(checkpoint, calibration_, options, identity_)),
        optimizer_(network_, options.optimizer),
        batches_(data.training, checkpoint.normalization,
                 {options.batch, options.quantization.augmentation(), options.quantization.seed}) {
    network_.set_batch_norm_mode(train::BatchNormMode::training);
    quantized_.set_adder_gradient(options.adder_gradient);
    quantized_.set_precision(options.precision);
    quantized_.learn_ranges(options.learn_ranges);
    for (const LearnedRange& range : quantized_.learned_ranges()) {
      range_velocity_[range.name] = torch::zeros_like(range.values.detach());
    }
    if (options.distill > 0) {
      teacher_ = std::make_unique<train::FloatNetwork>(teacher.network, teacher.tensors);
      teacher_->set_batch_norm_mode(train::BatchNormMode::inference);
      teacher_->to(options.device);
      if (options.device.is_cpu()) teacher_hooks_ = byte_teacher_hooks(*teacher_);
    }
  }

  // False: stopped, state saved.
  bool run() {
    train::TrainingPosition at;
    if (options_.resume && std::filesystem::exists(train::state_file(options_.out))) {
      at = load_qat_state(train::state_file(options_.out), identity_,
                          {network_, optimizer_, quantized_, range_velocity_}, options_.epochs,
                          batches_.batches());
    }
    train::TrainingCourse course;
    course.schedule =
        train::EpochSchedule{options_.epochs, options_.learning_rate, options_.warmup};
    course.recording = {train::metrics_file(options_.out), options_.checkpoint_every};
    course.stop = stop_;
    support::Progress progress("training " + checkpoint_.network.name + " " + options_.scheme,
                               train::training_steps(course.schedule, batches_.batches()),
                               at.epoch * batches_.batches() + at.batch);
    course.progress = [&](std::int64_t done, std::int64_t, const std::string& note) {
      progress.update(done, note);
    };
    return train::run_training(*this, optimizer_, batches_, course, at);
  }

  QatResult result() {
    QatResult result;
    result.finished = true;
    result.trained = trained();
    QuantizedNetwork network = apply_plan(result.trained, quantized_.plan());
    support::StageProgress stages;
    estimate_batch_norms(network, result.trained, calibration_, BatchNormEstimation::estimated,
                         options_.quantization.batch_norm_images, shown_by(stages));
    result.network =
        finish(network, checkpoint_, options_.scheme, options_.quantization.weight_bits,
               options_.quantization.activation_bits,
               data_.test.has_value() ? &*data_.test : nullptr, shown_by(stages));
    result.validation_percent =
        fake_quantized_accuracy(network, data_.validation, shown_by(stages));
    return result;
  }

  Judgement judge(const train::Batch& batch) override {
    const torch::Tensor scores = quantized_.forward(batch.images);
    return {scores, loss_of(scores, batch)};
  }

  void before_step(const train::TrainingStep& step) override {
    const std::vector<std::string>& names = network_.trainable();
    std::vector<torch::Tensor> gradients;
    for (const std::string& name : names) gradients.push_back(network_.parameter(name).grad());
    if (parameter_norms_.empty()) parameter_norms_ = train::norms_of(parameters());
    const std::vector<double> gradient_norms = train::norms_of(gradients);
    for (std::size_t i = 0; i < names.size(); ++i) {
      // Saturation keeps the loss finite where the parameters no longer are.
      step.require_finite("gradient of " + names[i], gradient_norms[i]);
      if (network_.is_adder_weight(names[i])) continue;
      clip_gradient(network_.parameter(names[i]), parameter_norms_[i], gradient_norms[i],
                    options_.gradient_clip);
    }
  }

  void after_step(const train::TrainingStep& step) override {
    step_ranges(step.rate());
    parameter_norms_ = train::norms_of(parameters());
    for (std::size_t i = 0; i < parameter_norms_.size(); ++i) {
      step.require_finite("norm of " + network_.trainable()[i], parameter_norms_[i]);
    }
  }

  std::optional<double> end_epoch(int epoch) override {
    if ((epoch + 1) % options_.validate_every != 0) return std::nullopt;
    return validate_now();
  }

  void save(const train::TrainingPosition& at) override {
    save_qat_state(train::state_file(options_.out), identity_,
                   {network_, optimizer_, quantized_, range_velocity_}, at);
  }

 private:
  std::vector<torch::Tensor> parameters() const {
    std::vector<torch::Tensor> all;
    for (const std::string& name : network_.trainable()) {
      all.push_back(network_.parameter(name).detach());
    }
    return all;
  }

  torch::Tensor loss_of(const torch::Tensor& scores, const train::Batch& batch) {
    torch::Tensor loss = torch::zeros({}, scores.options().requires_grad(false));
    if (options_.distill < 1) {
      loss = loss + (1 - options_.distill) *
                        torch::cross_entropy_loss(scores, batch.labels.to(scores.device()));
    }
    if (teacher_ != nullptr) {
      torch::Tensor wanted;
      {
        torch::NoGradGuard no_gradient;
        wanted = torch::log_softmax(
            teacher_->forward(batch.images, teacher_hooks_) / options_.temperature, 1);
      }
      const torch::Tensor found = torch::log_softmax(scores / options_.temperature, 1);
      const torch::Tensor divergence = (wanted.exp() * (wanted - found)).sum(1).mean();
      loss = loss + options_.distill * options_.temperature * options_.temperature * divergence;
    }
    return loss;
  }

  void step_ranges(double rate) {
    torch::NoGradGuard no_gradient;
    for (LearnedRange& range : quantized_.learned_ranges()) {
      if (!range.values.grad().defined()) continue;
      range.values.grad().mul_(range.gradient_scale);
      if (range.decays) range.values.grad().add_(range.values, options_.optimizer.weight_decay);
      clip_gradient(range.values, range.values.detach().norm().item<double>(),
                    range.values.grad().norm().item<double>(), options_.gradient_clip);
      torch::Tensor& velocity = range_velocity_.at(range.name);
      velocity.mul_(options_.optimizer.momentum).add_(range.values.grad());
      const double own = options_.range_rate * (range.of_adapter ? options_.adapter_rate : 1);
      range.values.add_(velocity, -rate * own);
      range.values.copy_(
          torch::minimum(torch::maximum(range.values, range.smallest), range.largest));
      range.values.mutable_grad() = torch::Tensor();
    }
  }

  network::Checkpoint trained() const {
    network::Checkpoint result = checkpoint_;
    result.tensors = network_.tensors();
    return result;
  }

  double validate_now() {
    const network::Checkpoint now = trained();
    QuantizedNetwork network = apply_plan(now, quantized_.plan());
    estimate_batch_norms(
        network, now, calibration_, BatchNormEstimation::estimated,
        std::min(options_.quantization.batch_norm_images, validation_batch_norm_images), {});
    return fake_quantized_accuracy(network, data_.validation, {});
  }

  const network::Checkpoint& checkpoint_;
  const QatData& data_;
  const QatOptions& options_;
  const train::TrainingIdentity identity_;
  const std::function<bool()>& stop_;
  CalibrationData calibration_;
  train::FloatNetwork network_;
  QatNetwork quantized_;
  train::Optimizer optimizer_;
  train::BatchSource batches_;
  std::map<std::string, torch::Tensor> range_velocity_;
  std::vector<double> parameter_norms_;  // as the last step left them; empty: not known yet
  std::unique_ptr<train::FloatNetwork> teacher_;
  train::ForwardHooks teacher_hooks_;
};

}  // namespace

void check_quantizers(const QatOptions& o) {
  if (!o.quantizers.has_value()) return;
  if (!for_ordinary_networks(o)) {
    throw std::invalid_argument(
        "weight-quantizer and activation-quantizer: found with the plan of " +
        o.quantization.scheme().name + ", allowed with scheme uniform");
  }
  check(
      WeightPlan{o.quantizers->weights, o.quantization.weight_bits, o.quantizers->magnitudes, {}});
}

std::string to_string(const QatOptions& o) {
  std::ostringstream text;
  text << "qat-version=3 scheme=" << o.scheme << " epochs=" << o.epochs << " batch=" << o.batch
       << " lr=" << train::exact_text(o.learning_rate) << " warmup=" << train::exact_text(o.warmup)
       << " momentum=" << train::exact_text(o.optimizer.momentum)
       << " weight-decay=" << train::exact_text(o.optimizer.weight_decay)
       << " nesterov=" << o.optimizer.nesterov
       << " adder-rate=" << train::exact_text(o.optimizer.adder_rate)
       << " distill=" << train::exact_text(o.distill)
       << " temperature=" << train::exact_text(o.temperature)
       << " gradient-clip=" << train::exact_text(o.gradient_clip)
       << " learn-ranges=" << o.learn_ranges << " range-rate=" << train::exact_text(o.range_rate);
  if (o.optimizer.method == train::OptimizerMethod::adam) text << " optimizer=adam";
  if (o.adder_gradient == train::AdderGradient::exact) text << " adder-gradient=exact";
  if (o.precision != train::Precision::float32)
    text << " precision=" << train::to_string(o.precision);
  if (o.quantizers.has_value()) {
    text << " weight-quantizer=" << to_string(o.quantizers->weights)
         << " activation-quantizer=" << to_string(o.quantizers->activations);
    if (o.quantizers->magnitudes > 0) text << " post-levels=" << o.quantizers->magnitudes;
    if (has_step_start(*o.quantizers)) {
      text << " step-start=" << to_string(o.quantizers->step_start);
    }
    if (o.quantizers->activations == ActivationQuantizer::asq) {
      text << " adapter-rate=" << train::exact_text(o.adapter_rate);
      if (o.quantizers->adapter_start != AdapterStart::one) {
        text << " adapter-start=" << to_string(o.quantizers->adapter_start);
      }
    }
  }
  if (o.training_images > 0) text << " train-images=" << o.training_images;
  text << " plan: " << to_string(o.quantization);
  if (o.quantizers.has_value() && o.quantizers->fraction_bits > 0) {
    text << " fraction-bits=" << o.quantizers->fraction_bits;
  }
  return text.str();
}

QatResult train_quantized(const network::Checkpoint& checkpoint, const network::Checkpoint& teacher,
                          const QatData& data, const QatOptions& given,
                          const std::function<bool()>& stop) {
  QatOptions options = given;
  check_training(options, data);
  check_quantizers(options);
  if (options.quantizers.has_value()) options.learn_ranges = true;
  check_scheme(options.quantization, checkpoint, "checkpoint");
  network::check_images("checkpoint", checkpoint.network, data.training);
  network::check_images("checkpoint", checkpoint.network, data.validation);
  if (data.test.has_value()) {
    network::check_images("checkpoint", checkpoint.network, *data.test);
  }
  if (options.distill > 0) network::check_images("teacher", teacher.network, data.training);
  Training training(checkpoint, teacher, data, options, stop);
  if (!training.run()) return {};
  return training.result();
}

}  // namespace abacus::quant
