// AdderQuant's post-training quantization of one adder layer: clustered group-shared scales, weight
// clamp and activation clamp (Nie et al., "Redistribution of Weights and Activations for AdderNet
// Quantization", NeurIPS 2022, section 3).
#pragma once

#include <vector>

#include "sw/quant/quantized_convolution.hpp"

namespace abacus {

struct AdderQuantizerOptions {
  int weight_bits = 8;
  int activation_bits = 8;
  bool activation_signed = false;  // inputs can be negative: no ReLU before the layer
  int groups = 4;                  // 1: one scale for the layer
  bool weight_clamp = true;        // false: a range wider than the activations' is kept
};

// The steps of a group's two grids: activations' and weights' steps are one unit times powers of
// two, so that |(a << activation_shift) − (w << weight_shift)| · unit is their distance.
struct AdderGrid {
  double unit = 1;
  int activation_shift = 0;
  int weight_shift = 0;
};

// The finest such grids with which both operands reach the range s: weights signed, with a step of
// at least 2s/(2^bits − 1) (the paper's eq. 3); activations unsigned with at least s/(2^bits − 1) (as
// the authors' code has it, since they follow a ReLU), or signed like the weights. For equal widths
// and unsigned activations: unit s/(2^bits − 1) and weight_shift 1.
AdderGrid adder_grid(double range, int weight_bits, int activation_bits, bool activation_signed);

// `weights`: output channel × input channel × ky × kx. `activation_range`: r_x, the calibrated range
// of the layer's inputs. Each group's range s is r_x where its weights pass r_x, which are then
// clamped to ±s at an offset of −Σ max(|w| − s, 0) (lossless, Theorem 1); else its largest weight,
// at which the activations are clipped. Groups whose ranges come out equal are
// merged, as they read the same operands. Throws std::invalid_argument for widths outside 2 … 8, fewer
// than one group, or weights that are no whole number of output channels.
QuantizedConvolution quantize_adder_layer(const std::vector<float>& weights, int output_channels,
                                          double activation_range,
                                          const AdderQuantizerOptions& options);

}  // namespace abacus
