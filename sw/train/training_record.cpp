#include "sw/train/training_record.hpp"

#include <cmath>
#include <cstdio>
#include <stdexcept>

#include "sw/train/optimizer.hpp"

namespace abacus::train {

const char* const metrics_header =
    "epoch,lr,train_loss,train_accuracy_percent,validation_accuracy_percent,seconds\n";

std::string number(double value, const char* format) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string exact_text(double value) { return number(value, "%a"); }

double percent(std::int64_t part, std::int64_t whole) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

void require(bool good, const std::string& name, double found, const std::string& allowed) {
  if (!good) {
    throw std::invalid_argument(name + ": found " + number(found, "%g") + ", allowed: " + allowed);
  }
}

void check_course(const CourseOptions& course, const OptimizerOptions& optimizer) {
  require(course.epochs >= 1, "epochs", course.epochs, "1 or more");
  require(course.batch >= 2, "batch", static_cast<double>(course.batch), "2 or more");
  require(course.learning_rate > 0 && std::isfinite(course.learning_rate), "lr",
          course.learning_rate, "more than 0");
  require(course.warmup >= 0 && course.warmup < course.epochs, "warmup", course.warmup,
          "0 to less than the epochs");
  require(optimizer.momentum >= 0 && optimizer.momentum < 1, "momentum", optimizer.momentum,
          "0 to less than 1");
  require(optimizer.weight_decay >= 0, "weight-decay", optimizer.weight_decay, "0 or more");
  require(optimizer.adder_rate > 0, "adder-rate", optimizer.adder_rate, "more than 0");
  require(course.checkpoint_every >= 1, "checkpoint-every", course.checkpoint_every, "1 or more");
  require(course.training_images >= 2, "training images",
          static_cast<double>(course.training_images), "2 or more");
  if (course.out.extension() != ".safetensors") {
    throw std::invalid_argument("out: found \"" + course.out.string() +
                                "\", allowed: a file name ending in .safetensors");
  }
  const std::filesystem::path folder =
      course.out.has_parent_path() ? course.out.parent_path() : ".";
  if (!std::filesystem::is_directory(folder)) {
    throw std::invalid_argument("out: found \"" + course.out.string() +
                                "\", but there is no folder " + folder.string());
  }
}

std::string metrics_line(const EpochMetrics& of) {
  return std::to_string(of.epoch) + "," + number(of.rate, "%.6g") + "," + number(of.loss, "%.6f") +
         "," + number(of.train_accuracy, "%.3f") + "," +
         (of.validation_accuracy ? number(*of.validation_accuracy, "%.3f") : "") + "," +
         number(of.seconds, "%.1f") + "\n";
}

}  // namespace abacus::train
