#include "sw/quant/layers/adder_quantizer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>

#include "sw/quant/weights/clustering.hpp"

namespace abacus::quant {
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

// How far the grid has to reach for the weight's sake.
double reach(float weight, OperandGrid grid) {
  const double value = static_cast<double>(weight);
  return grid == OperandGrid::nonnegative ? std::max(value, 0.0) : std::abs(value);
}

std::vector<int> split_evenly(std::size_t channels, int groups) {
  const std::size_t count = std::min(channels, static_cast<std::size_t>(groups));
  std::vector<int> group;
  for (std::size_t o = 0; o < channels; ++o) {
    group.push_back(static_cast<int>(o * count / channels));
  }
  return group;
}

std::vector<int> cluster_channels(const std::vector<float>& weights, std::size_t channels,
                                  const AdderQuantizerOptions& options) {
  if (options.group_method == GroupMethod::uniform) return split_evenly(channels, options.groups);
  const std::size_t size = weights.size() / channels;
  if (options.group_method == GroupMethod::all) {
    std::vector<std::vector<double>> points;
    for (std::size_t o = 0; o < channels; ++o) {
      const float* const channel = weights.data() + o * size;
      points.emplace_back(channel, channel + size);
    }
    return cluster_points(points, options.groups);
  }
  std::vector<double> features(channels, 0.0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    double& feature = features[i / size];
    if (options.group_method == GroupMethod::max) {
      feature = std::max(feature, reach(weights[i], options.grid));  // eq. 14
    } else {
      feature += reach(weights[i], options.grid) / static_cast<double>(size);
    }
  }
  return cluster_on_line(features, options.groups);
}

}  // namespace

AdderQuantizerOptions adder_quantizer_options(const CompletedOptions& options, OperandGrid grid) {
  AdderQuantizerOptions result;
  result.weight_bits = options.weight_bits;
  result.activation_bits = options.activation_bits;
  result.grid = grid;
  result.groups = options.groups;
  result.group_method = options.group_method;
  result.weight_clamp = options.weight_clamp;
  return result;
}

ConvolutionPlan plan_adder_layer(const std::vector<float>& weights, int output_channels,
                                 double activation_range, const AdderQuantizerOptions& options) {
  check(weights, output_channels, options);
  const std::size_t channels = static_cast<std::size_t>(output_channels);
  const std::size_t size = weights.size() / channels;
  std::vector<double> channel_range(channels, 0.0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    channel_range[i / size] = std::max(channel_range[i / size], reach(weights[i], options.grid));
  }
  const std::vector<int> cluster = cluster_channels(weights, channels, options);
  std::map<int, double> cluster_range;
  for (std::size_t o = 0; o < channels; ++o) {
    double& s = cluster_range[cluster[o]];
    s = std::max(s, channel_range[o]);
  }
  // Clusters that end up with the same range are one group: the hardware streams the activations
  // once for each.
  std::map<double, std::int32_t> group_of;
  for (auto& [index, s] : cluster_range) {
    s = std::min(s, activation_range);
    if (s <= 0) s = 1;  // nothing but zeros on one side; any grid will do
    group_of.emplace(s, static_cast<std::int32_t>(group_of.size()));
  }

  ConvolutionPlan plan;
  plan.weight_bits = options.weight_bits;
  plan.activation_bits = options.activation_bits;
  plan.activation_signed = options.grid == OperandGrid::symmetric;
  plan.grid = options.grid;
  plan.weight_clamp = options.weight_clamp;
  plan.range.resize(group_of.size());
  for (const auto& [s, group] : group_of) plan.range[static_cast<std::size_t>(group)] = s;
  for (std::size_t o = 0; o < channels; ++o) {
    plan.group.push_back(group_of.at(cluster_range.at(cluster[o])));
  }
  return plan;
}

ConvolutionPlan plan_shared_scale_layer(const std::vector<float>& weights, int output_channels,
                                        double largest_activation, SharedScale scale,
                                        int weight_bits, int activation_bits, OperandGrid grid) {
  AdderQuantizerOptions options;
  options.weight_bits = weight_bits;
  options.activation_bits = activation_bits;
  options.grid = grid;
  options.groups = 1;
  options.weight_clamp = false;
  // Unbounded: the weights' own range.
  ConvolutionPlan plan =
      plan_adder_layer(weights, output_channels, std::numeric_limits<double>::infinity(), options);
  if (scale == SharedScale::activations && largest_activation > 0) {
    plan.range = {largest_activation};
  }
  return plan;
}

}  // namespace abacus::quant
