#include "models/step_adapter/step_adapter.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "models/scale_unit/kernels.hpp"

namespace abacus::models {
namespace {

constexpr int sum_bits = 32;
constexpr int value_bits = 16;  // means and hidden values, and the pool multiplier
constexpr int weight_bits = 8;
constexpr int step_bits = 32;  // β and read multiplier

std::int64_t weighted_sum(const std::vector<std::int64_t>& values, const std::uint8_t* weights,
                          std::int64_t sum) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += values[i] * static_cast<std::int8_t>(weights[i]);
  }
  return sum;
}

}  // namespace

StepAdapter::StepAdapter(const hw::StepAdapterConfig& config) : config_(config) {
  const auto require = [](const char* field, int found, int low, int high) {
    if (found >= low && found <= high) return;
    throw std::invalid_argument(std::string("step_adapter: ") + field + " is " +
                                std::to_string(found) + "; allowed: " + std::to_string(low) +
                                " to " + std::to_string(high));
  };
  require("channels", config.channels, 1, 32767);
  require("hidden", config.hidden, 1, 1024);
  require("lanes", config.lanes, 1, 1024);
  require("registers", config.registers, 1, 64);
  forget();
}

void StepAdapter::forget() {
  sums_.assign(static_cast<std::size_t>(config_.channels), 0);
  steps_.assign(static_cast<std::size_t>(config_.registers), AdaptedStep());
}

void StepAdapter::begin(hw::ChannelSums sums) {
  if (sums == hw::ChannelSums::restart) std::fill(sums_.begin(), sums_.end(), 0);
}

StepSaturations StepAdapter::adapt(const hw::AdaptFields& fields, const std::uint8_t* parameters) {
  values_.assign(sums_.begin(), sums_.begin() + fields.channels);
  for (std::int64_t& value : values_) {
    value = std::clamp<std::int64_t>(round_shift(value * fields.pool_multiplier, fields.pool_shift),
                                     smallest_value, largest_value);
  }
  const std::uint8_t* weights = parameters + std::size_t{fields.hidden} * sizeof(std::int64_t);
  if (fields.hidden != 0) {
    hidden_.clear();
    for (std::size_t j = 0; j < fields.hidden; ++j) {
      std::int64_t bias = 0;
      std::memcpy(&bias, parameters + j * sizeof bias, sizeof bias);
      const std::int64_t sum = weighted_sum(values_, weights, bias);
      hidden_.push_back(
          std::clamp<std::int64_t>(round_shift(sum, fields.first_shift), 0, largest_value));
      weights += fields.channels;
    }
    values_.swap(hidden_);
  }
  const std::int64_t factor =
      round_shift(weighted_sum(values_, weights, fields.second_bias), fields.second_shift);
  StepSaturations saturations;
  saturations.underflows = factor < smallest_factor;
  saturations.overflows = factor > largest_factor;
  AdaptedStep& step = steps_[fields.step_register];
  step.set = true;
  step.factor = static_cast<int>(std::clamp<std::int64_t>(factor, smallest_factor, largest_factor));
  const int quotient =
      ((int{fields.read_multiplier} << factor_bits) + step.factor / 2) / step.factor;
  step.read_multiplier = std::clamp(quotient, 1, largest_read_multiplier);
  saturations.read = step.read_multiplier != quotient;
  return saturations;
}

std::int32_t StepAdapter::scaled(std::int32_t multiplier, int factor, std::int64_t& saturations) {
  const std::int64_t exact = round_shift(std::int64_t{multiplier} * factor, factor_bits);
  const std::int64_t value = std::clamp<std::int64_t>(exact, smallest_value, largest_value);
  saturations += value != exact;
  return static_cast<std::int32_t>(value);
}

std::int64_t StepAdapter::cycles(const hw::AdaptFields& fields) const {
  return adapter_cycles(fields, config_);
}

void StepAdapter::count_sums(Activity& activity, int layer, std::int64_t elements) {
  activity.count(layer, Component::step_adapter, Action::add, elements, sum_bits);
  activity.count(layer, Component::step_adapter, Action::register_read, elements, sum_bits);
  activity.count(layer, Component::step_adapter, Action::register_write, elements, sum_bits);
}

void StepAdapter::count_adapt(Activity& activity, int layer, const hw::AdaptFields& fields) {
  const std::int64_t weights = std::int64_t{fields.hidden} * fields.channels +
                               (fields.hidden == 0 ? fields.channels : fields.hidden);
  const std::int64_t channels = fields.channels;
  const auto count = [&](Action action, std::int64_t times, int bits, int bits_b = 0) {
    if (times != 0) activity.count(layer, Component::step_adapter, action, times, bits, bits_b);
  };
  count(Action::register_read, channels, sum_bits);
  count(Action::multiply, passes_of_mean * channels, value_bits, weight_bits);
  count(Action::add, (passes_of_mean - 1) * channels, sum_bits + value_bits);
  count(Action::register_write, channels + fields.hidden, value_bits);
  count(Action::register_read, weights, value_bits);
  count(Action::multiply, weights, value_bits, weight_bits);
  count(Action::add, weights, 40);
  count(Action::add, divider_cycles, divider_cycles);
  count(Action::register_write, 1, step_bits);
}

void StepAdapter::count_scaling(Activity& activity, int layer, int columns) {
  activity.count(layer, Component::step_adapter, Action::register_read, 1, step_bits);
  activity.count(layer, Component::step_adapter, Action::multiply, columns, 16, 16);
  activity.count(layer, Component::step_adapter, Action::add, columns, 32);
}

}  // namespace abacus::models
