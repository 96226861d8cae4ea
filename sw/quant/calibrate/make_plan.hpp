// From calibration to a plan: which widths, grids, ranges and groups each layer gets.
#pragma once

#include <vector>

#include "sw/network/checkpoint.hpp"
#include "sw/network/graph_folding.hpp"
#include "sw/quant/calibrate/calibration.hpp"
#include "sw/quant/options/quantization_options.hpp"
#include "sw/quant/plan/quantization_plan.hpp"

namespace abacus::quant {

// `folded`: fold_graph(checkpoint.network); `statistics`: calibrate() on it with
// calibration_alpha(options). First convolution and classifier get 8 bits, the scores 16, the tensors
// between layers options.storage_bits; everything else is the scheme's. Throws std::invalid_argument,
// naming the layer, for a grid that the sign of its inputs does not allow.
QuantizationPlan make_plan(const network::Checkpoint& checkpoint,
                           const std::vector<network::FoldedLayer>& folded,
                           const std::vector<TensorStatistics>& statistics,
                           const CompletedOptions& options);

// The α of calibrate(): 1 where the activations' range is their maximum, or a share of it.
double calibration_alpha(const CompletedOptions& options);

// Throws as operand_grid() (layer_plans.hpp) does for the first layer that cannot have the options'
// grid: before anything is calibrated.
void check_operand_grids(const network::Checkpoint& checkpoint,
                         const std::vector<network::FoldedLayer>& folded,
                         const CompletedOptions& options);

}  // namespace abacus::quant
