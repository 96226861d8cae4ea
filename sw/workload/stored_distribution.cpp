#include "sw/workload/stored_distribution.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace abacus::workload {
namespace {

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

// The real weight that an exponent weight's code stands for.
double exponent_value(const network::IntegerLayer& layer, int code) {
  if (code == 0) return 0.0;
  const std::size_t magnitude = static_cast<std::size_t>(std::abs(code));
  double value = 0.0;
  if (layer.arithmetic == network::Arithmetic::apot) {
    const std::size_t count = layer.first_exponents.size();
    for (const int exponent :
         {layer.first_exponents[magnitude % count], layer.second_exponents[magnitude / count]}) {
      if (exponent != network::no_exponent) value += std::exp2(-exponent);
    }
  } else {
    const double step = layer.arithmetic == network::Arithmetic::post ? 0.5 : 1.0;
    value = std::exp2(-step * static_cast<double>(magnitude - 1));
  }
  return code < 0 ? -value : value;
}

// A tap of real operands; fractions are not cut off.
double tap(const network::IntegerLayer& layer, double weight, int operand) {
  if (layer.arithmetic != network::Arithmetic::adder) return operand * weight;
  return std::abs(std::ldexp(operand, layer.activation_shift) -
                  std::ldexp(weight, layer.weight_shift));
}

double real_weight(const network::IntegerLayer& layer, int weight) {
  return hw::has_exponent_weights(layer.arithmetic) ? exponent_value(layer, weight) : weight;
}

}  // namespace

double Distribution::mean() const {
  double sum = 0;
  for (std::size_t i = 0; i < probability.size(); ++i) {
    sum += probability[i] * (lowest + static_cast<int>(i));
  }
  return sum;
}

double Distribution::variance() const {
  const double centre = mean();
  double sum = 0;
  for (std::size_t i = 0; i < probability.size(); ++i) {
    const double difference = lowest + static_cast<int>(i) - centre;
    sum += probability[i] * difference * difference;
  }
  return sum;
}

Distribution uniform_distribution(int lowest, int highest) {
  const std::size_t count = static_cast<std::size_t>(highest - lowest) + 1;
  return {lowest, std::vector<double>(count, 1.0 / static_cast<double>(count))};
}

Distribution rounded_normal(const network::StoredTensor& tensor, double mean, double deviation) {
  Distribution result{tensor.lowest(), {}};
  double below = 0;
  for (int value = tensor.lowest(); value <= tensor.highest(); ++value) {
    const double up_to =
        value == tensor.highest() ? 1.0 : normal_cdf((value + 0.5 - mean) / deviation);
    result.probability.push_back(up_to - below);
    below = up_to;
  }
  return result;
}

Distribution largest_of(const Distribution& values, int count) {
  Distribution result{values.lowest, {}};
  double below = 0;
  double before = 0;
  for (const double p : values.probability) {
    below = std::min(1.0, below + p);
    const double all_below = std::pow(below, count);
    result.probability.push_back(all_below - before);
    before = all_below;
  }
  return result;
}

Distribution operand_distribution(const Distribution& stored, const network::IntegerLayer& layer,
                                  const network::ReadQuantizer& quantizer) {
  const bool binary = layer.arithmetic == network::Arithmetic::bnn;
  const int bits = layer.activation_bits;
  const int lowest = binary ? -1 : layer.activation_signed ? -(1 << (bits - 1)) : 0;
  const int highest = binary ? 1 : (1 << (layer.activation_signed ? bits - 1 : bits)) - 1;
  Distribution result{lowest, std::vector<double>(static_cast<std::size_t>(highest - lowest) + 1)};
  for (std::size_t i = 0; i < stored.probability.size(); ++i) {
    const std::int64_t value = stored.lowest + static_cast<std::int64_t>(i);
    std::int64_t operand = value < 0 ? -1 : 1;
    if (!binary) {
      const double scaled =
          std::ldexp(static_cast<double>(value * quantizer.multiplier), -quantizer.shift);
      operand = std::clamp<std::int64_t>(std::llround(scaled), lowest, highest);
    }
    result.probability[static_cast<std::size_t>(operand - lowest)] += stored.probability[i];
  }
  return result;
}

Moments tap_moments(const Distribution& operands, const network::IntegerLayer& layer, int weight,
                    const std::optional<hw::ElementTable>& element) {
  const double value = real_weight(layer, weight);
  Moments moments;
  double square = 0;
  for (std::size_t i = 0; i < operands.probability.size(); ++i) {
    const int operand = operands.lowest + static_cast<int>(i);
    const double t = layer.arithmetic == network::Arithmetic::table ? element->tap(operand, weight)
                                                                    : tap(layer, value, operand);
    moments.mean += operands.probability[i] * t;
    square += operands.probability[i] * t * t;
  }
  moments.variance = std::max(0.0, square - moments.mean * moments.mean);
  return moments;
}

double padded_tap(const network::IntegerLayer& layer, int weight,
                  const std::optional<hw::ElementTable>& element) {
  if (layer.arithmetic == network::Arithmetic::table) return element->tap(0, weight);
  return tap(layer, real_weight(layer, weight),
             layer.arithmetic == network::Arithmetic::bnn ? -1 : 0);
}

}  // namespace abacus::workload
