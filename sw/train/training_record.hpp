// What the training of float networks and quantization-aware training have in common: checks of
// their numbers, and the line of metrics that each epoch leaves.

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace abacus::train {

struct OptimizerOptions;

// The value in a format of printf.
std::string number(double value, const char* format);
// In hexadecimal: reads back as the same double.
std::string exact_text(double value);

double percent(std::int64_t part, std::int64_t whole);

// Throws std::invalid_argument with the name, what was found and what is allowed, unless good.
void require(bool good, const std::string& name, double found, const std::string& allowed);

// What both trainings ask of their options; throws std::invalid_argument. out: beside OUT.safetensors
// lie OUT.csv and OUT.state, so that the ending matters.
struct CourseOptions {
  int epochs;
  std::int64_t batch;
  double learning_rate;
  double warmup;  // epochs
  int checkpoint_every;
  std::int64_t training_images;
  const std::filesystem::path& out;
};
void check_course(const CourseOptions& course, const OptimizerOptions& optimizer);

// The first line of OUT.csv, and an epoch's line: its number from 1, last learning rate, mean loss,
// accuracies in percent (the validation's column is empty where there was none), seconds.
extern const char* const metrics_header;
struct EpochMetrics {
  int epoch;
  double rate;
  double loss;
  double train_accuracy;
  std::optional<double> validation_accuracy;
  double seconds;
};
std::string metrics_line(const EpochMetrics& of);

}  // namespace abacus::train
