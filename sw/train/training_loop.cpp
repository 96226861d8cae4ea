#include "sw/train/training_loop.hpp"

#include <chrono>
#include <cmath>
#include <ostream>
#include <stdexcept>
#include <utility>

#include "sw/support/output_file.hpp"
#include "sw/support/overloaded.hpp"

namespace abacus::train {
namespace {

// Of an epoch, goes on from what it took before it was interrupted.
class EpochClock {
 public:
  explicit EpochClock(double seconds_before) : before_(seconds_before) {}

  double seconds() const {
    return before_ + std::chrono::duration<double>(Clock::now() - start_).count();
  }

 private:
  using Clock = std::chrono::steady_clock;

  double before_;
  Clock::time_point start_ = Clock::now();
};

class Run {
 public:
  Run(TrainingTask& task, Optimizer& optimizer, BatchSource& batches, const TrainingCourse& course,
      TrainingPosition at)
      : task_(task),
        optimizer_(optimizer),
        source_(batches),
        course_(course),
        at_(std::move(at)),
        batches_(batches.batches()),
        steps_(training_steps(course.schedule, batches_)),
        step_(at_.epoch * batches_ + at_.batch) {}

  bool run() {
    while (step_ < steps_) {
      if (!run_epoch()) return false;
    }
    return true;
  }

 private:
  bool run_epoch() {
    const EpochClock clock(at_.seconds);
    double rate = 0;
    for (; at_.batch < batches_ && step_ < steps_; ++at_.batch, ++step_) {
      if (course_.stop && course_.stop()) {
        at_.seconds = clock.seconds();
        task_.save(at_);
        return false;
      }
      rate = rate_now();
      take_step(rate);
      if (course_.progress) course_.progress(step_ + 1, steps_, note());
    }
    if (at_.batch == batches_) end_epoch(rate, clock);
    return true;
  }

  void take_step(double rate) {
    const Batch batch = source_.batch(at_.epoch, at_.batch);
    const TrainingStep step(rate, place());
    optimizer_.clear_gradients();
    const TrainingTask::Judgement judged = task_.judge(batch);
    judged.loss.backward();
    const double loss = judged.loss.item<double>();
    step.require_finite(task_.loss_name(), loss);
    task_.before_step(step);
    if (course_.recording.has_value()) {
      at_.correct += count_correct(judged.scores.detach(), batch.labels);
      at_.loss_sum += loss * static_cast<double>(batch.labels.size(0));
    }
    optimizer_.step(rate);
    task_.after_step(step);
  }

  void end_epoch(double rate, const EpochClock& clock) {
    const std::optional<double> validation = task_.end_epoch(at_.epoch);
    TrainingPosition next;
    next.epoch = at_.epoch + 1;
    next.metrics = at_.metrics;
    if (course_.recording.has_value()) {
      const std::int64_t seen = source_.images_before(batches_);
      next.metrics += metrics_line({next.epoch, rate, at_.loss_sum / static_cast<double>(seen),
                                    percent(at_.correct, seen), validation, clock.seconds()});
      // What cannot be made again comes first.
      if (next.epoch % course_.recording->save_every == 0 || step_ == steps_) task_.save(next);
      support::write_output(course_.recording->metrics,
                            [&](std::ostream& out) { out << next.metrics; });
    }
    at_ = std::move(next);
  }

  double rate_now() const {
    return std::visit(
        support::Overloaded{[&](const EpochSchedule& of) {
                              const double passed = static_cast<double>(at_.batch + 1) /
                                                    static_cast<double>(batches_);
                              return cosine_rate(of.rate, at_.epoch + passed, of.epochs, of.warmup);
                            },
                            [&](const StepSchedule& of) {
                              return cosine_rate(of.rate, static_cast<double>(step_),
                                                 static_cast<double>(of.steps), 0);
                            }},
        course_.schedule);
  }

  // For errors.
  std::string place() const {
    return std::visit(support::Overloaded{[&](const EpochSchedule&) {
                                            return "epoch " + std::to_string(at_.epoch + 1) +
                                                   ", batch " + std::to_string(at_.batch + 1) +
                                                   "; try a smaller lr";
                                          },
                                          [&](const StepSchedule&) {
                                            return "iteration " + std::to_string(step_ + 1);
                                          }},
                      course_.schedule);
  }

  std::string note() const {
    const auto* const epochs = std::get_if<EpochSchedule>(&course_.schedule);
    if (epochs == nullptr || !course_.recording.has_value()) return "";
    const std::int64_t seen = source_.images_before(at_.batch + 1);
    return "epoch " + std::to_string(at_.epoch + 1) + "/" + std::to_string(epochs->epochs) +
           ", loss " + number(at_.loss_sum / static_cast<double>(seen), "%.4f") + ", accuracy " +
           number(percent(at_.correct, seen), "%.2f") + " %";
  }

  TrainingTask& task_;
  Optimizer& optimizer_;
  BatchSource& source_;
  const TrainingCourse& course_;
  TrainingPosition at_;
  const std::int64_t batches_;  // an epoch
  const std::int64_t steps_;    // of the whole training
  std::int64_t step_;           // the next one
};

}  // namespace

void TrainingStep::require_finite(const std::string& what, double value) const {
  if (std::isfinite(value)) return;
  throw std::runtime_error(what + " is " + number(value, "%g") + " in " + place_);
}

bool run_training(TrainingTask& task, Optimizer& optimizer, BatchSource& batches,
                  const TrainingCourse& course, TrainingPosition at) {
  return Run(task, optimizer, batches, course, std::move(at)).run();
}

std::int64_t training_steps(const TrainingSchedule& schedule, std::int64_t batches_an_epoch) {
  return std::visit(
      support::Overloaded{[&](const EpochSchedule& of) { return of.epochs * batches_an_epoch; },
                          [](const StepSchedule& of) { return of.steps; }},
      schedule);
}

std::int64_t count_correct(const torch::Tensor& scores, const torch::Tensor& labels) {
  return scores.argmax(1).to(labels.device()).eq(labels).sum().item<std::int64_t>();
}

}  // namespace abacus::train
