// From calibration to a plan: which widths, grids, ranges and groups each layer gets.
#pragma once

#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/network/graph_folding.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/options/quantization_options.hpp"
#include "sw/quant/plan/quantization_plan.hpp"

namespace abacus {

// `folded`: fold_graph(checkpoint.network); `statistics`: calibrate() on it with
// calibration_alpha(options). First convolution and classifier get 8 bits, the scores 16, the tensors
// between layers options.storage_bits. Throws std::invalid_argument, naming the layer, for a grid
// that the sign of its inputs does not allow.
QuantizationPlan make_plan(const Checkpoint& checkpoint, const std::vector<FoldedLayer>& folded,
                           const std::vector<TensorStatistics>& statistics,
                           const QuantizationOptions& options);

// The α of calibrate(): 1 where the activations' range is their maximum, or a share of it.
double calibration_alpha(const QuantizationOptions& options);

// The operand grid of an adder layer: the scheme's, or the options'; where its inputs can be negative
// the unsigned one gives way to the symmetric one. Throws std::invalid_argument naming the layer
// where they can be and the grid is nonnegative.
OperandGrid operand_grid(const FoldedLayer& layer, bool inputs_signed,
                         const QuantizationOptions& options);

// Throws as operand_grid() does for the first layer that cannot have the options' grid: before
// anything is calibrated.
void check_operand_grids(const Checkpoint& checkpoint, const std::vector<FoldedLayer>& folded,
                         const QuantizationOptions& options);

// Of an adder layer whose activations' range is r_x.
ConvolutionPlan plan_adder(const std::vector<float>& weights, int output_channels,
                           double activation_range, OperandGrid grid,
                           const QuantizationOptions& options);

}  // namespace abacus
