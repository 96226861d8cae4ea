// How the values of a stored tensor are taken to be distributed, and what that makes of taps. Used to
// choose the scale units of networks with random weights (synthetic_network.hpp).
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "sw/network/integer_network.hpp"

namespace abacus::workload {

// Probabilities of the whole numbers lowest, lowest + 1, …
struct Distribution {
  int lowest = 0;
  std::vector<double> probability;

  int highest() const { return lowest + static_cast<int>(probability.size()) - 1; }
  double mean() const;
  double variance() const;
};

Distribution uniform_distribution(int lowest, int highest);

// A normal distribution, rounded and clamped to a tensor's range. Around 0, a tensor without a sign has
// what a ReLU leaves of it: half of the values are 0.
Distribution rounded_normal(const network::StoredTensor& tensor, double mean, double deviation);

// Of the largest of `count` independent values.
Distribution largest_of(const Distribution& values, int count);

// Of a layer's operands, where the layer reads such a tensor through the quantizer.
Distribution operand_distribution(const Distribution& stored, const network::IntegerLayer& layer,
                                  const network::ReadQuantizer& quantizer);

struct Moments {
  double mean = 0;
  double variance = 0;
};

// What one weight makes of the operands: mean and variance of its taps, without the adder's minus
// sign, in units of whole taps (docs/arithmetic.md, "Convolution", step 2). `element`: of `table` layers.
Moments tap_moments(const Distribution& operands, const network::IntegerLayer& layer, int weight,
                    const std::optional<hw::ElementTable>& element = std::nullopt);
// Of a padded position.
double padded_tap(const network::IntegerLayer& layer, int weight,
                  const std::optional<hw::ElementTable>& element = std::nullopt);

}  // namespace abacus::workload
