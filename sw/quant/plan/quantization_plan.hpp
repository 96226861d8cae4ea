// What a quantizer decides before any weight is rounded: widths, grids, ranges, groups. One plan
// serves post-training quantization, block reconstruction and quantization-aware training.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sw/network/integer_network.hpp"
#include "sw/quant/plan/quantized_convolution.hpp"
#include "sw/quant/plan/quantized_network.hpp"

namespace abacus::quant {

// The common grid of an adder layer's two operands. s is the group's range, b the width.
enum class OperandGrid {
  symmetric,             // both signed, step 2s/(2^b − 1): AdderQuant's eq. 3
  unsigned_activations,  // x ≥ 0: activations step s/(2^b − 1), weights signed with twice that step,
                         // as the AdderNet authors' code has it
  nonnegative  // x ≥ 0: both unsigned, step s/(2^b − 1); weights clamped to [0, s], which
               // loses nothing: |x − w| = |x| + |w| for w < 0 ≤ x
};
const std::vector<std::string>& operand_grid_names();  // "symmetric", "unsigned", "nonnegative"
std::string to_string(OperandGrid grid);
OperandGrid operand_grid_from_string(const std::string& text);  // std::invalid_argument

// What the lanes of tlm/hardware_config.hpp keep.
inline constexpr int default_fraction_bits = 8;

// Of one convolution.
struct ConvolutionPlan {
  int weight_bits = 8;
  int activation_bits = 8;
  bool activation_signed = false;

  // Adder layers.
  OperandGrid grid = OperandGrid::unsigned_activations;
  std::vector<std::int32_t> group;  // one an output channel
  std::vector<double> range;        // s, one a group
  // Weights beyond the range add their distance from it as an offset (lossless where the
  // activations stay within the range); false: they are clipped and nothing is added.
  bool weight_clamp = true;

  // In place of grids and widths, of an element that the user describes (docs/table.md). Shared scales: group
  // and range; else the steps below.
  std::shared_ptr<const hw::ElementTable> element;

  // Ordinary layers: symmetric weights.
  double activation_step = 1;
  std::vector<double> weight_step;  // one an output channel
  // In place of weight_bits and weight_step, of which only the number counts then.
  std::optional<WeightPlan> weights;
  ActivationQuantizer activations = ActivationQuantizer::lsq;  // how activation_step is learned
  AdapterParameters adapter;                                   // asq
  // Exponent weights: fraction bits of a tap that are asked for (exponent_taps.hpp); 0: as many as they
  // need.
  int fraction_bits = 0;
};

struct QuantizationPlan {
  network::StoredTensor image;
  std::vector<network::StoredTensor> outputs;  // one a folded layer
  std::vector<ConvolutionPlan> convolutions;   // one a folded layer; empty plans for the others
};

// Rounds the weights (output channel × input channel × ky × kx) and bias (one an output channel, or
// empty) to the nearest level of the plan's grid. Throws std::invalid_argument for widths outside
// 2 … 8 and counts that do not fit.
QuantizedConvolution quantize_adder_convolution(const ConvolutionPlan& plan,
                                                const std::vector<float>& weights,
                                                const std::vector<float>& bias);
// The same of an ordinary layer; fraction bits of exponent weights by the plan's (exponent_taps.hpp).
QuantizedConvolution quantize_ordinary_convolution(const ConvolutionPlan& plan,
                                                   const std::vector<float>& weights,
                                                   const std::vector<float>& bias);

}  // namespace abacus::quant
