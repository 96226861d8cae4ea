#include "sw/quant/adder_quantizer.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <string>

#include "sw/quant/clustering.hpp"

namespace abacus {
namespace {

void check(const std::vector<float>& weights, int output_channels,
           const AdderQuantizerOptions& options) {
  const auto fail = [](const std::string& what, int found, const std::string& allowed) {
    throw std::invalid_argument(what + " is " + std::to_string(found) + "; allowed: " + allowed);
  };
  for (const int bits : {options.weight_bits, options.activation_bits}) {
    if (bits < 2 || bits > 8) fail("operand width", bits, "2 to 8 bits");
  }
  if (options.groups < 1) fail("number of groups", options.groups, "1 or more");
  if (output_channels < 1 || weights.empty() ||
      weights.size() % static_cast<std::size_t>(output_channels) != 0) {
    fail("number of weights", static_cast<int>(weights.size()),
         "a multiple of the " + std::to_string(output_channels) + " output channels");
  }
}

// Weight step = activation step · 2^this. For ranges that agree, the ratio of the two steps lies
// within a factor of two of it, whatever the range.
int step_exponent(int weight_bits, int activation_bits, bool activation_signed) {
  return activation_signed ? activation_bits - weight_bits : activation_bits + 1 - weight_bits;
}

}  // namespace

AdderGrid adder_grid(double range, int weight_bits, int activation_bits, bool activation_signed) {
  const double weight_step = 2 * range / ((1 << weight_bits) - 1);
  const double activation_step = (activation_signed ? 2 : 1) * range / ((1 << activation_bits) - 1);
  const int exponent = step_exponent(weight_bits, activation_bits, activation_signed);
  AdderGrid grid;
  grid.weight_shift = std::max(exponent, 0);
  grid.activation_shift = std::max(-exponent, 0);
  grid.unit = std::max(std::ldexp(weight_step, -grid.weight_shift),
                       std::ldexp(activation_step, -grid.activation_shift));
  return grid;
}

QuantizedConvolution quantize_adder_layer(const std::vector<float>& weights, int output_channels,
                                          double activation_range,
                                          const AdderQuantizerOptions& options) {
  check(weights, output_channels, options);
  const std::size_t channels = static_cast<std::size_t>(output_channels);
  const std::size_t size = weights.size() / channels;
  std::vector<double> channel_range(channels, 0.0);  // the clusters' feature, eq. 14
  for (std::size_t i = 0; i < weights.size(); ++i) {
    channel_range[i / size] =
        std::max(channel_range[i / size], std::abs(static_cast<double>(weights[i])));
  }

  QuantizedConvolution result;
  result.weight_bits = options.weight_bits;
  result.activation_bits = options.activation_bits;
  result.activation_signed = options.activation_signed;
  const std::vector<int> cluster = cluster_on_line(channel_range, options.groups);
  std::map<int, double> cluster_range;
  for (std::size_t o = 0; o < channels; ++o) {
    double& s = cluster_range[cluster[o]];
    s = std::max(s, channel_range[o]);
  }
  // Clusters that end up with the same range are one group: the hardware streams the activations
  // once for each.
  std::map<double, std::int32_t> group_of;
  for (auto& [index, s] : cluster_range) {
    if (options.weight_clamp && s > activation_range) s = activation_range;
    if (s <= 0) s = 1;  // nothing but zeros on one side; any grid will do
    group_of.emplace(s, static_cast<std::int32_t>(group_of.size()));
  }
  std::vector<double> range(group_of.size());
  std::vector<AdderGrid> grids(group_of.size());
  for (const auto& [s, group] : group_of) {
    const AdderGrid grid =
        adder_grid(s, options.weight_bits, options.activation_bits, options.activation_signed);
    range[static_cast<std::size_t>(group)] = s;
    grids[static_cast<std::size_t>(group)] = grid;
  }
  for (std::size_t o = 0; o < channels; ++o) {
    result.group.push_back(group_of.at(cluster_range.at(cluster[o])));
  }
  for (const AdderGrid& grid : grids) {
    result.activation_step.push_back(std::ldexp(grid.unit, grid.activation_shift));
  }
  result.activation_shift = grids.front().activation_shift;
  result.weight_shift = grids.front().weight_shift;

  const double lowest = lowest_integer(options.weight_bits, true);
  const double highest = highest_integer(options.weight_bits, true);
  for (std::size_t o = 0; o < channels; ++o) {
    const std::size_t group = static_cast<std::size_t>(result.group[o]);
    const double step = std::ldexp(grids[group].unit, grids[group].weight_shift);
    double offset = 0;
    for (std::size_t i = o * size; i < (o + 1) * size; ++i) {
      const double weight = static_cast<double>(weights[i]);
      const double clamped = std::clamp(weight, -range[group], range[group]);
      offset -= std::abs(weight - clamped);
      const double level = std::clamp(std::floor(clamped / step + 0.5), lowest, highest);
      result.weights.push_back(static_cast<std::int16_t>(level));
    }
    result.accumulator_step.push_back(-grids[group].unit);
    result.offset.push_back(offset);
  }
  return result;
}

}  // namespace abacus
