// The steps of symmetric weights with a scale of their own for each output channel, for ordinary
// convolutions.
#pragma once

#include <cstddef>
#include <vector>

namespace abacus::quant {

// The step of the levels lowest … highest that minimises Σ (w − step·level)² over the values; searched
// between a quarter of and the whole step that reaches the largest one. 1 for zeros only.
double best_weight_step(const float* weights, std::size_t count, int lowest, int highest);
// Of the signed grid of `bits` bits.
double best_weight_step(const float* weights, std::size_t count, int bits);

// The best step of each output channel; `weights`: output channel × input channel × ky × kx. Throws
// std::invalid_argument for widths outside 2 … 8 or weights that are no whole number of channels.
std::vector<double> best_weight_steps(const std::vector<float>& weights, int output_channels,
                                      int bits);
// Of levels lowest … highest.
std::vector<double> best_weight_steps(const std::vector<float>& weights, int output_channels,
                                      int lowest, int highest);

}  // namespace abacus::quant
