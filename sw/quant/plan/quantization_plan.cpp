#include "sw/quant/plan/quantization_plan.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "sw/quant/plan/adder_grid.hpp"
#include "sw/quant/plan/exponent_taps.hpp"

namespace abacus::quant {
namespace {

void check_width(const std::string& what, int bits) {
  if (bits < 2 || bits > 8) {
    throw std::invalid_argument(what + " is " + std::to_string(bits) + "; allowed: 2 to 8 bits");
  }
}

// Returns the weights of one output channel; there are `channels` of them.
std::size_t check_counts(const ConvolutionPlan& plan, std::size_t channels,
                         const std::vector<float>& weights, const std::vector<float>& bias) {
  check_width("weight width", plan.weight_bits);
  check_width("activation width", plan.activation_bits);
  if (channels == 0 || weights.empty() || weights.size() % channels != 0) {
    throw std::invalid_argument("number of weights is " + std::to_string(weights.size()) +
                                "; allowed: a multiple of the " + std::to_string(channels) +
                                " output channels");
  }
  if (!bias.empty() && bias.size() != channels) {
    throw std::invalid_argument("number of biases is " + std::to_string(bias.size()) +
                                "; allowed: 0, or the " + std::to_string(channels) +
                                " output channels");
  }
  return weights.size() / channels;
}

// Half rounds up, as everywhere in the arithmetic.
std::int16_t nearest_level(double value, double step, int lowest, int highest) {
  return static_cast<std::int16_t>(std::clamp(
      std::floor(value / step + 0.5), static_cast<double>(lowest), static_cast<double>(highest)));
}

// Everything that the stored weights decide; accumulator_step for activations of step 1.
void set_weights(const QuantizedWeights& weights, int asked_fraction_bits,
                 QuantizedConvolution& result) {
  std::optional<int> asked;
  if (asked_fraction_bits > 0) asked = asked_fraction_bits;
  result.weight_bits = weights.bits;
  result.weights = weights.stored;
  result.code = weights.code;
  result.fraction_bits = fraction_bits(weights.code, asked);
  result.accumulator_step = weights.step;
}

}  // namespace

const std::vector<std::string>& operand_grid_names() {
  static const std::vector<std::string> names = {"symmetric", "unsigned", "nonnegative"};
  return names;
}

std::string to_string(OperandGrid grid) {
  return operand_grid_names().at(static_cast<std::size_t>(grid));
}

OperandGrid operand_grid_from_string(const std::string& text) {
  for (const OperandGrid grid :
       {OperandGrid::symmetric, OperandGrid::unsigned_activations, OperandGrid::nonnegative}) {
    if (text == to_string(grid)) return grid;
  }
  throw std::invalid_argument("unknown operand grid \"" + text +
                              "\"; allowed: symmetric, unsigned, nonnegative");
}

QuantizedConvolution quantize_adder_convolution(const ConvolutionPlan& plan,
                                                const std::vector<float>& weights,
                                                const std::vector<float>& bias) {
  const std::size_t channels = plan.group.size();
  const std::size_t size = check_counts(plan, channels, weights, bias);
  if (plan.activation_signed != (plan.grid == OperandGrid::symmetric)) {
    throw std::invalid_argument("the activations of a " + to_string(plan.grid) + " grid are " +
                                (plan.activation_signed ? "signed" : "unsigned"));
  }
  if (plan.range.empty()) throw std::invalid_argument("an adder layer without a range");
  QuantizedConvolution result;
  result.weight_bits = plan.weight_bits;
  result.activation_bits = plan.activation_bits;
  result.activation_signed = plan.activation_signed;
  result.weight_signed = plan.grid != OperandGrid::nonnegative;
  result.group = plan.group;
  std::vector<AdderGrid> grids;
  for (const double range : plan.range) {
    grids.push_back(adder_grid(range, plan.weight_bits, plan.activation_bits, plan.grid));
    result.activation_step.push_back(grids.back().activation_step());
  }
  // The same for every range.
  result.activation_shift = grids.front().activation_shift;
  result.weight_shift = grids.front().weight_shift;

  for (std::size_t o = 0; o < channels; ++o) {
    if (plan.group[o] < 0 || static_cast<std::size_t>(plan.group[o]) >= plan.range.size()) {
      throw std::invalid_argument("output channel " + std::to_string(o) + "'s group is " +
                                  std::to_string(plan.group[o]) + "; there are " +
                                  std::to_string(plan.range.size()));
    }
    const std::size_t group = static_cast<std::size_t>(plan.group[o]);
    const AdderGrid& grid = grids[group];
    const double highest = plan.range[group];
    const double lowest = result.weight_signed ? -highest : 0;
    const double step = grid.weight_step();
    double offset = 0;
    for (std::size_t i = o * size; i < (o + 1) * size; ++i) {
      const double weight = static_cast<double>(weights[i]);
      // Without the clamp a weight beyond the range becomes the outermost level.
      const double clamped = plan.weight_clamp ? std::clamp(weight, lowest, highest) : weight;
      offset -= std::abs(weight - clamped);
      result.weights.push_back(
          nearest_level(clamped, step, grid.weight_lowest, grid.weight_highest));
    }
    result.accumulator_step.push_back(-grid.unit);
    result.offset.push_back(offset + (bias.empty() ? 0.0 : static_cast<double>(bias[o])));
  }
  return result;
}

QuantizedConvolution quantize_ordinary_convolution(const ConvolutionPlan& plan,
                                                   const std::vector<float>& weights,
                                                   const std::vector<float>& bias) {
  const std::size_t channels = plan.weight_step.size();
  const std::size_t size = check_counts(plan, channels, weights, bias);
  QuantizedConvolution result;
  result.weight_bits = plan.weight_bits;
  result.activation_bits = plan.activation_bits;
  result.activation_signed = plan.activation_signed;
  result.group.assign(channels, 0);
  result.activation_step = {plan.activation_step};
  result.adapter = plan.adapter;
  if (plan.weights.has_value()) {
    set_weights(quantize_weights(*plan.weights, weights, static_cast<int>(channels)),
                plan.fraction_bits, result);
    for (std::size_t o = 0; o < channels; ++o) {
      result.accumulator_step[o] *= plan.activation_step;
      result.offset.push_back(bias.empty() ? 0.0 : static_cast<double>(bias[o]));
    }
    return result;
  }
  const int lowest = lowest_integer(plan.weight_bits, true);
  const int highest = highest_integer(plan.weight_bits, true);
  for (std::size_t o = 0; o < channels; ++o) {
    const double step = plan.weight_step[o];
    for (std::size_t i = o * size; i < (o + 1) * size; ++i) {
      result.weights.push_back(
          nearest_level(static_cast<double>(weights[i]), step, lowest, highest));
    }
    result.accumulator_step.push_back(step * plan.activation_step);
    result.offset.push_back(bias.empty() ? 0.0 : static_cast<double>(bias[o]));
  }
  return result;
}

}  // namespace abacus::quant
