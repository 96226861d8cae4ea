#include "sw/quant/weights/adder_rounding.hpp"

#include <cmath>
#include <cstddef>

namespace abacus::quant {
namespace {

// The compiler makes one version for each of these, and the program picks at start.
#define ABACUS_VECTOR_VERSIONS __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))

// What moving a weight from `from` to `to` does to the accumulators: sums of the change, of its
// square and of its product with the error.
struct Change {
  float sum = 0, square = 0, product = 0;
};

ABACUS_VECTOR_VERSIONS
void measure(const float* operands, const float* error, std::int64_t samples, float from, float up,
             float down, Change& rise, Change& fall) {
  float sum_up = 0, square_up = 0, product_up = 0;
  float sum_down = 0, square_down = 0, product_down = 0;
#pragma omp simd reduction(+ : sum_up, square_up, product_up, sum_down, square_down, product_down)
  for (std::int64_t i = 0; i < samples; ++i) {
    const float now = std::fabs(operands[i] - from);
    const float higher = std::fabs(operands[i] - up) - now;
    const float lower = std::fabs(operands[i] - down) - now;
    sum_up += higher;
    square_up += higher * higher;
    product_up += higher * error[i];
    sum_down += lower;
    square_down += lower * lower;
    product_down += lower * error[i];
  }
  rise = {sum_up, square_up, product_up};
  fall = {sum_down, square_down, product_down};
}

ABACUS_VECTOR_VERSIONS
void move(const float* operands, std::int64_t samples, float from, float to, float mean,
          float* error) {
#pragma omp simd
  for (std::int64_t i = 0; i < samples; ++i) {
    error[i] += std::fabs(operands[i] - to) - std::fabs(operands[i] - from) - mean;
  }
}

ABACUS_VECTOR_VERSIONS
void add_distances(const float* operands, std::int64_t samples, float weight, float* sums) {
#pragma omp simd
  for (std::int64_t i = 0; i < samples; ++i) sums[i] += std::fabs(operands[i] - weight);
}

// The change of the squared error's sum, its mean removed.
double cost(const Change& change, std::int64_t samples) {
  const double sum = static_cast<double>(change.sum);
  return static_cast<double>(change.square) + 2 * static_cast<double>(change.product) -
         sum * sum / static_cast<double>(samples);
}

}  // namespace

std::vector<float> accumulate_samples(const OperandSamples& operands, const std::int16_t* weights,
                                      int shift) {
  std::vector<float> sums(static_cast<std::size_t>(operands.samples), 0.0F);
  for (std::int64_t t = 0; t < operands.taps; ++t) {
    add_distances(operands.tap(t), operands.samples, static_cast<float>(weights[t] * (1 << shift)),
                  sums.data());
  }
  return sums;
}

bool round_to_output(const OperandSamples& operands, const std::vector<float>& target, double gain,
                     const WeightLevels& levels, int sweeps, std::int16_t* weights) {
  if (!(std::abs(gain) > 0) || operands.samples == 0) return false;
  // The error in accumulator steps; the bias takes its mean.
  std::vector<float> error = accumulate_samples(operands, weights, levels.shift);
  double mean = 0;
  for (std::size_t i = 0; i < error.size(); ++i) {
    error[i] -= static_cast<float>(static_cast<double>(target[i]) / gain);
    mean += static_cast<double>(error[i]);
  }
  mean /= static_cast<double>(error.size());
  for (float& value : error) value -= static_cast<float>(mean);

  bool any = false;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    bool moved = false;
    for (std::int64_t t = 0; t < operands.taps; ++t) {
      const auto place = [&](int level) { return static_cast<float>(level * (1 << levels.shift)); };
      const int level = weights[t];
      Change rise, fall;
      measure(operands.tap(t), error.data(), operands.samples, place(level), place(level + 1),
              place(level - 1), rise, fall);
      const double up = level < levels.highest ? cost(rise, operands.samples) : 0;
      const double down = level > levels.lowest ? cost(fall, operands.samples) : 0;
      if (!(up < 0 || down < 0)) continue;
      const Change& change = up < down ? rise : fall;
      const int to = up < down ? level + 1 : level - 1;
      move(operands.tap(t), operands.samples, place(level), place(to),
           change.sum / static_cast<float>(operands.samples), error.data());
      weights[t] = static_cast<std::int16_t>(to);
      moved = true;
    }
    any = any || moved;
    if (!moved) break;
  }
  return any;
}

}  // namespace abacus::quant
