#include "sw/quant/plan/adapter_arithmetic.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "sw/quant/plan/fixed_point.hpp"

namespace abacus::quant {
namespace {

constexpr double largest_weight = 127;

static_assert(AdapterParameters::smallest * (1 << network::step_factor_bits) ==
              network::smallest_step_factor);
static_assert(AdapterParameters::largest * (1 << network::step_factor_bits) ==
              network::largest_step_factor);

std::int64_t round_shift(std::int64_t value, int shift) {
  return shift == 0 ? value : (value + (std::int64_t{1} << (shift - 1))) >> shift;
}

double largest_magnitude(const double* values, int count) {
  double largest = 0;
  for (int i = 0; i < count; ++i) largest = std::max(largest, std::abs(values[i]));
  return largest;
}

std::vector<std::int16_t> rounded(const double* values, int count, double unit) {
  std::vector<std::int16_t> result;
  for (int i = 0; i < count; ++i) {
    result.push_back(static_cast<std::int16_t>(
        std::clamp(std::floor(values[i] / unit + 0.5), -largest_weight, largest_weight)));
  }
  return result;
}

std::int64_t bias_of(double value, double unit) {
  const double bias = std::floor(value / unit + 0.5);
  if (!(std::abs(bias) <= static_cast<double>(network::largest_adapter_bias))) {
    throw std::range_error("an adapter's bias of " + std::to_string(value) +
                           " does not fit the fields of docs/arithmetic.md");
  }
  return static_cast<std::int64_t>(bias);
}

// Weights at `weights`, biases behind them. `unit`: what one integer of a mean is worth; returns that of
// a hidden value.
double set_first_layer(const AdapterParameters& adapter, const double* weights, double unit,
                       network::AdapterNetwork& result) {
  const int channels = adapter.channels, hidden = adapter.hidden();
  const double* const biases = weights + hidden * channels;
  const double weight_unit =
      std::max(largest_magnitude(weights, hidden * channels) / largest_weight, 1e-9);
  result.first_weights = rounded(weights, hidden * channels, weight_unit);
  double largest = 0;
  for (int j = 0; j < hidden; ++j) {
    const std::int64_t bias = bias_of(biases[j], weight_unit * unit);
    result.first_biases.push_back(bias);
    double sum = static_cast<double>(bias);
    for (int c = 0; c < channels; ++c) {
      const std::size_t place = static_cast<std::size_t>(j * channels + c);
      sum += double{network::largest_adapter_value} *
             std::abs(static_cast<double>(result.first_weights[place]));
    }
    largest = std::max(largest, sum);
  }
  while (largest > std::ldexp(double{network::largest_adapter_value}, result.first_shift))
    ++result.first_shift;
  return std::ldexp(weight_unit * unit, result.first_shift);
}

// Weights at `weights`, the bias behind them. `unit`: what one integer of their inputs is worth.
void set_last_layer(const AdapterParameters& adapter, const double* weights, double unit,
                    network::AdapterNetwork& result) {
  const double largest = largest_magnitude(weights, adapter.last());
  const double bias = weights[adapter.last()];
  // One of the sum is 2^−shift of one of β, so a weight's unit is 2^−shift / (unit·2^step_factor_bits).
  const auto weight_unit = [&](int shift) {
    return std::ldexp(1.0, -shift - network::step_factor_bits) / unit;
  };
  const auto fits = [&](int shift) {
    return largest <= largest_weight * weight_unit(shift) &&
           std::abs(bias) <=
               std::ldexp(network::largest_adapter_bias, -1) * weight_unit(shift) * unit;
  };
  int shift = network::largest_shift;
  while (shift > 0 && !fits(shift)) --shift;
  if (!fits(shift)) {
    throw std::range_error("an adapter's last weights of up to " + std::to_string(largest) +
                           " do not fit the fields of docs/arithmetic.md");
  }
  result.second_shift = shift;
  result.second_weights = rounded(weights, adapter.last(), weight_unit(shift));
  result.second_bias = bias_of(bias, weight_unit(shift) * unit);
}

}  // namespace

network::AdapterNetwork integer_adapter(const AdapterParameters& adapter,
                                        const network::StoredTensor& input) {
  if (adapter.channels != input.shape.channels ||
      adapter.parameters.size() != adapter.parameter_count()) {
    throw std::invalid_argument("an adapter of " + std::to_string(adapter.channels) +
                                " channels with " + std::to_string(adapter.parameters.size()) +
                                " parameters for a tensor of " +
                                std::to_string(input.shape.channels) + " channels");
  }
  network::AdapterNetwork result;
  const int extreme = std::max(-input.lowest(), input.highest());
  int fraction = -1;  // of 16 bits without a sign, means lose one
  while (std::ldexp(extreme, fraction + 1) <= double{network::largest_adapter_value}) ++fraction;
  const int places = input.shape.height * input.shape.width;
  const PoolScale pool = pool_scale(std::ldexp(1.0, fraction) / places);
  result.pool_multiplier = pool.multiplier;
  result.pool_shift = pool.shift;
  // Rounding may carry the largest mean past the end, by one.
  const auto largest_mean = [&] {
    return round_shift(std::int64_t{extreme} * places * result.pool_multiplier, result.pool_shift);
  };
  if (largest_mean() > network::largest_adapter_value) {
    while (result.pool_multiplier <= network::largest_vector_multiplier / 2 &&
           result.pool_shift < network::largest_shift) {
      result.pool_multiplier *= 2;
      ++result.pool_shift;
    }
    while (largest_mean() > network::largest_adapter_value) --result.pool_multiplier;
  }
  double unit = std::ldexp(input.scale, -fraction);
  const double* parameters = adapter.parameters.data();
  if (adapter.hidden() > 0) {
    unit = set_first_layer(adapter, parameters, unit, result);
    parameters += adapter.hidden() * (adapter.channels + 1);
  }
  set_last_layer(adapter, parameters, unit, result);
  return result;
}

int integer_step_factor(const network::AdapterNetwork& adapter,
                        const std::vector<std::int64_t>& sums) {
  std::vector<std::int64_t> values;
  for (const std::int64_t sum : sums) {
    values.push_back(
        std::clamp<std::int64_t>(round_shift(sum * adapter.pool_multiplier, adapter.pool_shift),
                                 network::smallest_adapter_value, network::largest_adapter_value));
  }
  const auto weighted = [&](const std::int16_t* weights, std::int64_t bias) {
    for (std::size_t i = 0; i < values.size(); ++i) bias += weights[i] * values[i];
    return bias;
  };
  if (!adapter.first_biases.empty()) {
    std::vector<std::int64_t> hidden;
    for (std::size_t j = 0; j < adapter.first_biases.size(); ++j) {
      const std::int64_t sum =
          weighted(adapter.first_weights.data() + j * values.size(), adapter.first_biases[j]);
      hidden.push_back(std::clamp<std::int64_t>(round_shift(sum, adapter.first_shift), 0,
                                                network::largest_adapter_value));
    }
    values = hidden;
  }
  const std::int64_t factor = round_shift(
      weighted(adapter.second_weights.data(), adapter.second_bias), adapter.second_shift);
  return static_cast<int>(std::clamp<std::int64_t>(factor, network::smallest_step_factor,
                                                   network::largest_step_factor));
}

network::ReadQuantizer adaptable_read_quantizer(double ratio) {
  for (int shift = network::largest_read_shift; shift >= 0; --shift) {
    const double multiplier = std::floor(std::ldexp(ratio, shift) + 0.5);
    if (multiplier >= 1 && multiplier <= adapted_read_multiplier) {
      return {static_cast<int>(multiplier), shift};
    }
  }
  throw std::range_error("an adapted read quantizer's ratio of " + std::to_string(ratio) +
                         " does not fit the fixed-point fields of docs/arithmetic.md");
}

network::ReadQuantizer adapted(const network::ReadQuantizer& quantizer, int factor) {
  const std::int64_t product = static_cast<std::int64_t>(quantizer.multiplier)
                               << network::step_factor_bits;
  const std::int64_t quotient = (product + factor / 2) / factor;
  return {static_cast<int>(std::clamp<std::int64_t>(quotient, 1, network::largest_read_multiplier)),
          quantizer.shift};
}

std::int32_t adapted(std::int32_t multiplier, int factor) {
  const std::int64_t product = static_cast<std::int64_t>(multiplier) * factor;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(
      round_shift(product, network::step_factor_bits), network::smallest_scale_multiplier,
      network::largest_scale_multiplier));
}

}  // namespace abacus::quant
