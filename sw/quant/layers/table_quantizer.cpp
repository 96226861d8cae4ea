#include "sw/quant/layers/table_quantizer.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace abacus::quant {
namespace {

// Half rounds up, as everywhere in the arithmetic.
std::int16_t nearest_code(double value, double step, const hw::ElementTable& element) {
  return static_cast<std::int16_t>(std::clamp(std::floor(value / step + 0.5),
                                              static_cast<double>(element.lowest_weight()),
                                              static_cast<double>(element.highest_weight())));
}

void check_counts(std::size_t channels, const std::vector<float>& weights,
                  const std::vector<float>& bias) {
  const auto fail = [&](const char* what, std::size_t found, const std::string& allowed) {
    throw std::invalid_argument(std::string(what) + " is " + std::to_string(found) + "; allowed: " +
                                allowed + std::to_string(channels) + " output channels");
  };
  if (channels == 0 || weights.empty() || weights.size() % channels != 0) {
    fail("number of weights", weights.size(), "a multiple of the ");
  }
  if (!bias.empty() && bias.size() != channels) fail("number of biases", bias.size(), "0, or the ");
}

}  // namespace

double shared_step(const hw::ElementTable& element, double range) {
  const int reach = std::min(element.highest_activation(), element.highest_weight());
  if (reach < 1) {
    throw std::invalid_argument(
        "element " + element.name +
        " has no positive codes of both operands, which shared scales need");
  }
  return range / reach;
}

QuantizedConvolution quantize_table_convolution(const ConvolutionPlan& plan,
                                                const std::vector<float>& weights,
                                                const std::vector<float>& bias) {
  const hw::ElementTable& element = *plan.element;
  const bool shared = element.scales == hw::StepRule::shared;
  const std::size_t channels = shared ? plan.group.size() : plan.weight_step.size();
  check_counts(channels, weights, bias);
  QuantizedConvolution result;
  result.element = plan.element;
  result.set_operands(element);
  if (shared) {
    result.group = plan.group;
    for (const double range : plan.range) {
      result.activation_step.push_back(shared_step(element, range));
    }
  } else {
    result.group.assign(channels, 0);
    result.activation_step = {plan.activation_step};
  }
  const std::size_t size = weights.size() / channels;
  for (std::size_t o = 0; o < channels; ++o) {
    const double activation_step =
        result.activation_step.at(static_cast<std::size_t>(result.group[o]));
    const double step = shared ? activation_step : plan.weight_step[o];
    double offset = bias.empty() ? 0.0 : static_cast<double>(bias[o]);
    for (std::size_t i = o * size; i < (o + 1) * size; ++i) {
      const double weight = static_cast<double>(weights[i]);
      const double reached =
          std::clamp(weight, element.lowest_weight() * step, element.highest_weight() * step);
      if (shared) offset += element.accumulate * std::abs(weight - reached);
      result.weights.push_back(nearest_code(weight, step, element));
    }
    result.accumulator_step.push_back(element.accumulate *
                                      (shared ? step : step * activation_step));
    result.offset.push_back(offset);
  }
  return result;
}

}  // namespace abacus::quant
