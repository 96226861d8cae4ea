// AdderQuant's plan of one adder layer: clustered group-shared scales, weight clamp and activation
// clamp (Nie et al., "Redistribution of Weights and Activations for AdderNet Quantization", NeurIPS
// 2022, section 3).
#pragma once

#include <vector>

#include "sw/quant/options/quantization_options.hpp"
#include "sw/quant/plan/quantization_plan.hpp"

namespace abacus::quant {

struct AdderQuantizerOptions {
  int weight_bits = 8;
  int activation_bits = 8;
  OperandGrid grid = OperandGrid::unsigned_activations;
  int groups = 4;  // 1: one scale for the layer
  GroupMethod group_method = GroupMethod::max;
  bool weight_clamp = true;  // false: weights beyond the range are clipped without an offset
};

// A quantization's settings of an adder layer on a grid.
AdderQuantizerOptions adder_quantizer_options(const CompletedOptions& options, OperandGrid grid);

// `weights`: output channel × input channel × ky × kx. `activation_range`: r_x, the calibrated range
// of the layer's inputs. Each group's range s is r_x where its weights pass r_x, which are then
// clamped at an offset (lossless, Theorem 1) or, without the clamp, clipped (Proposition 1's loss;
// the paper does not say whose range its ablations without the clamp take); else its largest weight,
// at which the activations are clipped. On a nonnegative grid only positive weights count as passing or reaching anything: negative
// ones become 0 there. Groups whose ranges come out equal are merged, as they read the same operands. Throws
// std::invalid_argument for widths outside 2 … 8, fewer than one group, or weights that are no whole
// number of output channels.
ConvolutionPlan plan_adder_layer(const std::vector<float>& weights, int output_channels,
                                 double activation_range, const AdderQuantizerOptions& options);

// QSSF (Wang et al., arXiv 2101.10015; AdderQuant's section 2.1, eqs. 8 to 10): one range for the
// layer, the activations' or the weights' largest magnitude, at which the other is clipped.
ConvolutionPlan plan_shared_scale_layer(const std::vector<float>& weights, int output_channels,
                                        double largest_activation, SharedScale scale,
                                        int weight_bits, int activation_bits, OperandGrid grid);

}  // namespace abacus::quant
